# mypy: ignore-errors
"""Flask + Flask-SQLAlchemy + twilio webhook as Twilio's guides teach it: signature
decorator, one row per conversation, one commit per answer, TwiML in the response."""

import functools
import os

from flask import Flask, abort, request
from flask_sqlalchemy import SQLAlchemy
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from benchmarks.questions import QUESTIONS, N, prompt, valid

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DB"]
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 16, "max_overflow": 0}
db = SQLAlchemy(app)


class Conversation(db.Model):
    __tablename__ = "conversations"
    phone = db.Column(db.BigInteger, primary_key=True)
    step = db.Column(db.Integer, nullable=False)


class Answer(db.Model):
    __tablename__ = "answers"
    id = db.Column(db.BigInteger, primary_key=True)
    member = db.Column(db.BigInteger, nullable=False, index=True)
    question = db.Column(db.Text, nullable=False)
    value = db.Column(db.Text, nullable=False)
    created_at = db.Column(db.DateTime(timezone=True), server_default=db.func.now())


with app.app_context():
    db.create_all()


def validate_twilio_request(f):
    @functools.wraps(f)
    def wrapped(*args, **kwargs):
        validator = RequestValidator(os.environ["SECRET"])
        if not validator.validate(
            request.url, request.form, request.headers.get("X-Twilio-Signature", "")
        ):
            abort(403)
        return f(*args, **kwargs)

    return wrapped


@app.post("/sms")
@validate_twilio_request
def sms():
    phone = int(request.form["From"].lstrip("+"))
    text = request.form["Body"]
    conv = db.session.get(Conversation, phone)
    if conv is None or text == "START":
        if conv is None:
            conv = Conversation(phone=phone, step=0)
            db.session.add(conv)
        conv.step = 0
        out = prompt(0)
    else:
        value = valid(conv.step, text) if conv.step < N else None
        if value is None:
            out = prompt(conv.step)
        else:
            db.session.add(Answer(member=phone, question=QUESTIONS[conv.step][0], value=value))
            conv.step += 1
            out = prompt(conv.step)
    db.session.commit()
    resp = MessagingResponse()
    resp.message(out)
    return str(resp), 200, {"Content-Type": "text/xml"}
