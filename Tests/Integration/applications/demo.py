"""A FastAPI service on PostgreSQL that calls itself over HTTP; some requests fail, some are slow, some carry secrets.

Nothing here knows of OpenTelemetry, except that a login notes what a careless programmer would: the instrumentation is
put around it from outside (`opentelemetry-instrument`).
"""

import asyncio
import logging
import os
from contextlib import asynccontextmanager

import httpx
from fastapi import Depends, FastAPI, Header, HTTPException
from opentelemetry import trace
from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette_prometheus import PrometheusMiddleware, metrics

log = logging.getLogger("demo")
engine = create_engine(os.environ["DATABASE_URL"], pool_size=4)


class Table(DeclarativeBase):
    pass


class Article(Table):
    __tablename__ = "articles"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


@asynccontextmanager
async def lifespan(_):
    Table.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Article(name=f"article {number}") for number in range(20))
        session.commit()
    yield
    trace.get_tracer_provider().force_flush()


app = FastAPI(title="demo", lifespan=lifespan)
app.add_middleware(PrometheusMiddleware)
app.add_route("/metrics", metrics)


def session():
    with Session(engine) as opened:
        yield opened


@app.get("/articles")
def articles(database: Session = Depends(session)):
    found = database.scalars(select(Article).limit(10)).all()
    log.warning("listed %d articles", len(found))
    return [article.name for article in found]


@app.get("/articles/{number}")
def article(number: int, database: Session = Depends(session)):
    found = database.get(Article, number)
    if found is None:
        raise HTTPException(404, "no such article")
    return found.name


@app.get("/chain")
async def chain():
    async with httpx.AsyncClient(base_url=os.environ["SELF_URL"]) as client:
        return [(await client.get(path)).json() for path in ("/articles", "/articles/1")]


@app.get("/slow")
async def slow():
    await asyncio.sleep(0.6)


@app.get("/broken-chain")
async def broken_chain():
    async with httpx.AsyncClient(base_url=os.environ["SELF_URL"]) as client:
        return (await client.get("/error")).status_code


@app.get("/error")
def error(database: Session = Depends(session)):
    database.scalars(select(Article).limit(1)).all()
    raise RuntimeError("as asked")


@app.get("/login")
def login(password: str, card: str, fails: bool = False, authorization: str = Header()):
    span = trace.get_current_span()
    span.set_attribute("user.password", password)
    span.set_attribute("payment.card_number", card)
    span.add_event("credentials", {"header": authorization, "note": f"paid with {card}"})
    log.warning("login with password=%s", password, extra={"authorization": authorization})
    if fails:
        raise RuntimeError(f"could not charge {card}")
    return "welcome"
