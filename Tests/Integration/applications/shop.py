"""A FastAPI application as the stack has them: metrics by starlette-prometheus, some requests that fail."""

from fastapi import FastAPI, HTTPException
from prometheus_client import Gauge, Info, Summary
from starlette_prometheus import PrometheusMiddleware, metrics

app = FastAPI(title="shop")
app.add_middleware(PrometheusMiddleware)
app.add_route("/metrics", metrics)

Info("shop_build", "What was built.").info({"version": "1.2.3", "text": 'with "quotes", \\ and\nlines'})
PRICES = Summary("shop_price_euro", "Prices asked for.", ["currency"])
STOCK = Gauge("shop_stock", "Items on stock.", ["item", "place"])
STOCK.labels("Blåbær", "Århus").set(12.5)
STOCK.labels("apple", "").set(3)
STOCK.labels("nothing", "x").set(float("nan"))
STOCK.labels("everything", "x").set(float("inf"))


@app.get("/items")
def items():
    PRICES.labels("EUR").observe(9.99)
    return ["apple"]


@app.get("/items/{number}")
def item(number: int):
    if number % 3:
        raise HTTPException(404, "not found")
    return {"number": number}


@app.get("/fail")
def fail():
    raise HTTPException(500, "as asked")
