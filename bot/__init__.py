"""The chat front: channels, webhooks, delivery."""
