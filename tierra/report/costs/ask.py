"""`python -m tierra.report.costs.ask OUT`: gets the prices that the saved plans of an environment need from
AWS, and keeps them in `.prices/` with today's date.

The Price List Query API accepts the credentials of any account with pricing:GetProducts. Its format is in
<https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html>.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from tierra.plans.changes import PLAN
from tierra.report.costs import needed, prices, region_of
from tierra.report.costs.skus import Sku

# One of the few regions that have the API, for the prices of all: Billing User Guide, "Finding services and
# products using the AWS Price List Query API".
ENDPOINT = "us-east-1"
QUICK = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3}, max_pool_connections=8)


def main() -> int:
    folder = Path(sys.argv[1])
    files = sorted(folder.glob(f"stacks/*/{PLAN}"))
    if not files:
        return refuse(f"{folder} has no saved plans", f"make plan ENV={folder.name}, then make prices again")
    plans = {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in files}
    try:
        answers = ask(needed(plans, region_of(plans)))
    except NoCredentialsError:
        return refuse(
            "there are no credentials for AWS",
            "sign in: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    except ClientError as error:
        what = f"AWS refuses the price request ({error.response['Error']['Code']})"
        return refuse(what, "sign in again, or allow the role pricing:GetProducts")
    except BotoCoreError as error:
        return refuse(
            f"the Price List of AWS cannot be reached: {error}",
            "check the network and its proxy: HTTPS_PROXY",
        )
    for region, answer in answers.items():
        known = {sku: usd for sku, usd in answer.items() if usd is not None}
        print(f"prices: {len(known)} of {region} are in {prices.keep(region, known)}")
        for sku in sorted(str(sku) for sku, usd in answer.items() if usd is None):
            print(f"  AWS has no single price for {sku}")
    return 0


def refuse(what: str, remedy: str) -> int:
    sys.stderr.write(f"prices: {what}\n  remedy: {remedy}\n")
    return 1


def ask(wanted: set[tuple[str, Sku]]) -> dict[str, dict[Sku, float | None]]:
    """Prices by region; None if AWS has none, or several."""
    client = botocore.session.Session().create_client("pricing", region_name=ENDPOINT, config=QUICK)
    answers: dict[str, dict[Sku, float | None]] = defaultdict(dict)
    with ThreadPoolExecutor(QUICK.max_pool_connections) as pool:
        futures = {key: pool.submit(price, client, *key) for key in sorted(wanted, key=str)}
        for (region, sku), answer in futures.items():
            answers[region][sku] = answer.result()
    return answers


def price(client: Any, region: str, sku: Sku) -> float | None:
    """The on-demand price of a unit: the highest, if it falls with volume or a first part is free."""
    only = dict(sku.attributes) | ({} if sku.worldwide else {"regionCode": region})
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=sku.service,
        Filters=[{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in only.items()],
    )
    products = (json.loads(entry) for page in pages for entry in page["PriceList"])
    prices = {
        max(_steps(product))
        for product in products
        if sku.is_usage(product["product"]["attributes"].get("usagetype", ""))
    }
    return prices.pop() if len(prices) == 1 else None


def _steps(product: Mapping[str, Any]) -> Iterator[float]:
    for term in product["terms"].get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            yield float(dimension["pricePerUnit"].get("USD", 0))


if __name__ == "__main__":
    sys.exit(main())
