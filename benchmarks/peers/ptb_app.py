# mypy: ignore-errors
"""python-telegram-bot's ConversationHandler over a webhook, as its guide writes it.

Every answer is committed with SQLAlchemy before the reply; the conversation state is in a
SQLAlchemy-backed persistence, flushed each PTB_INTERVAL seconds (there is no flush per update).
"""

import asyncio
import os

from sqlalchemy import BigInteger, DateTime, Index, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column
from telegram.ext import (
    Application,
    BasePersistence,
    CommandHandler,
    ConversationHandler,
    MessageHandler,
    PersistenceInput,
    filters,
)

from benchmarks.questions import QUESTIONS, N, prompt, valid


class Base(DeclarativeBase):
    pass


class Answer(Base):
    __tablename__ = "answers"
    id = mapped_column(BigInteger, primary_key=True)
    member = mapped_column(BigInteger, nullable=False)
    question = mapped_column(Text, nullable=False)
    value = mapped_column(Text, nullable=False)
    created_at = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (Index("answers_member", "member"),)


class State(Base):
    __tablename__ = "conversations"
    chat = mapped_column(BigInteger, primary_key=True)
    step = mapped_column(BigInteger, nullable=False)


engine = create_async_engine(os.environ["DB"], pool_size=16, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)


class SqlPersistence(BasePersistence):
    def __init__(self):
        super().__init__(
            PersistenceInput(False, False, False, False), float(os.environ.get("PTB_INTERVAL", "1"))
        )

    async def get_conversations(self, name):
        async with Session() as s:
            return {(r.chat, r.chat): r.step for r in (await s.scalars(select(State)))}

    async def update_conversation(self, name, key, new_state):
        async with Session() as s:
            if new_state is None:
                row = await s.get(State, key[0])
                if row:
                    await s.delete(row)
            else:
                await s.execute(
                    insert(State)
                    .values(chat=key[0], step=new_state)
                    .on_conflict_do_update(index_elements=["chat"], set_={"step": new_state})
                )
            await s.commit()

    async def _none(self, *a, **k):
        return None

    async def _dict(self, *a, **k):
        return {}

    get_user_data = get_chat_data = get_bot_data = _dict
    get_callback_data = update_user_data = update_chat_data = update_bot_data = (
        update_callback_data
    ) = _none
    drop_chat_data = drop_user_data = refresh_user_data = refresh_chat_data = refresh_bot_data = (
        flush
    ) = _none


async def begin(update, context):
    await update.message.reply_text(prompt(0))
    return 0


def step(i):
    async def handle(update, context):
        value = valid(i, update.message.text)
        if value is None:
            await update.message.reply_text(prompt(i))
            return i
        async with Session() as s:
            s.add(Answer(member=update.effective_chat.id, question=QUESTIONS[i][0], value=value))
            await s.commit()
        await update.message.reply_text(prompt(i + 1))
        return i + 1 if i + 1 < N else ConversationHandler.END

    return handle


def build():
    app = (
        Application.builder()
        .token("123:ABC")
        .base_url(os.environ["API"] + "/bot")
        .persistence(SqlPersistence())
        .build()
    )
    app.add_handler(
        ConversationHandler(
            entry_points=[CommandHandler("start", begin)],
            states={
                i: [MessageHandler(filters.TEXT & ~filters.COMMAND, step(i))] for i in range(N)
            },
            fallbacks=[CommandHandler("start", begin)],
            name="registration",
            persistent=True,
        )
    )
    return app


async def create():
    async with engine.begin() as c:
        await c.run_sync(Base.metadata.create_all)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(create())
    asyncio.set_event_loop(asyncio.new_event_loop())
    port = int(os.environ["PORT"])
    build().run_webhook(
        "127.0.0.1",
        port,
        "tg",
        secret_token=os.environ["SECRET"],
        webhook_url=f"http://127.0.0.1:{port}/tg",
    )
