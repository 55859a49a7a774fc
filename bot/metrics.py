"""Figures of the chat front for Prometheus; no label can name a person."""

from prometheus_client import Counter, Histogram

TAKEN = Counter("homeline_arrivals", "Deliveries taken in.", ["channel", "kind"])
REJECTED = Counter(
    "homeline_webhooks_rejected", "Webhooks without secret or signature.", ["channel"]
)
QUARANTINED = Counter(
    "homeline_quarantined", "Messages kept aside because they failed.", ["channel"]
)
GUARDED = Counter("homeline_guarded", "Replies not given because of a guard.", ["channel"])
SENT = Counter("homeline_sent", "Messages handed to a provider, by outcome.", ["channel", "status"])
BATCH = Histogram(
    "homeline_batch_messages", "Messages handled together.", buckets=(1, 2, 4, 8, 16, 32, 64)
)
