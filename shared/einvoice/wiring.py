"""The one place that names concrete classes and reads the environment (組裝)."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore
import botocore.session
from botocore.config import Config

from einvoice import clock as clocks
from einvoice.application.breaker import Breakers
from einvoice.application.ports import Ports
from einvoice.errors import MerchantUnusable
from einvoice.merchants import MerchantConfig, Merchants, Secret
from einvoice.merchants.config import ORIGINS
from einvoice.model import Centre, ProviderProfile
from einvoice.providers.base import Provider
from einvoice.providers.ecpay.crypto import Credentials
from einvoice.providers.ecpay.provider import ECPAY_PROFILE, EcpayProvider, allowed_base_url
from einvoice.providers.http import HttpTransport
from einvoice.store.dynamodb import DynamoStore
from einvoice.telemetry import Telemetry

#: boto's own defaults wait 25 seconds on a dead table, which is a whole request
AWS_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=25,
    # The two take a quarter of a warm invoice's instructions: requests built here need no second check (DynamoDB makes
    # its own), and botocore would compose its long user agent anew for every request.
    parameter_validation=False,
    user_agent=f"einvoice-tw Botocore/{botocore.__version__}",
)
SPACING_S = 0.2  # between two calls of one account; ECPay's guide advises five a second at most
MAX_PACED = 4096

PROFILES: dict[str, ProviderProfile] = {"ecpay": ECPAY_PROFILE}


class Pacer:
    """Keeps calls of one account ``SPACING_S`` apart in this container; across containers nothing does."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._monotonic, self._sleep = monotonic, sleep
        self._free_at: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def __call__(self, merchant: str, account: str) -> None:
        """Wait until this account may be called, and take the turn."""
        now = self._monotonic()
        with self._lock:
            if len(self._free_at) >= MAX_PACED:
                self._free_at = {key: at for key, at in self._free_at.items() if at > now}
            turn = max(now, self._free_at.get((merchant, account), 0.0))
            self._free_at[(merchant, account)] = turn + SPACING_S
        if turn > now:
            self._sleep(turn - now)


class AccountCentres:
    """``Centres`` over the merchants' settings and secrets; one HTTP transport for all of them."""

    def __init__(self, merchants: Merchants, observe: Callable[..., None], private_targets: frozenset[str]) -> None:
        self._merchants, self._observe, self._private = merchants, observe, private_targets
        self._transport = HttpTransport()

    def current(self, merchant: str) -> tuple[Centre, ProviderProfile]:
        """Where a new order goes now."""
        config = self._merchants.config(merchant)
        return Centre(config.provider, config.account, config.credential_id), _profile(config, config.provider)

    def profile(self, merchant: str) -> ProviderProfile:
        """The settings in force, also of a merchant that may begin nothing new."""
        config = self._merchants.config(merchant, for_new_orders=False)
        return _profile(config, config.provider)

    def pinned(self, merchant: str, centre: Centre) -> Provider:
        """The provider an order was claimed for, with the credentials of that account."""
        config = self._merchants.config(merchant, for_new_orders=False)
        base_url = config.base_url if config.provider == centre.provider else ORIGINS[(centre.provider, config.live)]
        if not allowed_base_url(base_url, self._private):
            raise MerchantUnusable("BASE_URL_NOT_ALLOWED")
        self._merchants.secret(merchant, centre.credential_id)  # unusable credentials are told before anything is sent
        return EcpayProvider(
            merchant_id=centre.account,
            base_url=base_url,
            credentials=lambda refresh: self._credentials(merchant, centre, refresh=refresh),
            transport=self._transport,
            observe=self._observe,
            profile=_profile(config, centre.provider),
        )

    def _credentials(self, merchant: str, centre: Centre, *, refresh: bool) -> Credentials:
        """The pinned credential; on refresh the account's newest, since a centre knows only one key at a time."""
        if not refresh:
            return _credentials(self._merchants.secret(merchant, centre.credential_id))
        try:
            newer = self._merchants.current_secret_for_account(merchant, centre.account, failed=centre.credential_id)
        except MerchantUnusable:
            newer = self._merchants.secret(merchant, centre.credential_id, refresh=True)
        return _credentials(newer)


def _credentials(secret: Secret) -> Credentials:
    return Credentials(hash_key=secret.hash_key, hash_iv=secret.hash_iv)


def _profile(config: MerchantConfig, provider: str) -> ProviderProfile:
    return config.profile(PROFILES[provider])


#: a new container's first batch asks from ten threads at once: each would build clients and a ``Pacer`` of its own
_building = threading.RLock()


def telemetry() -> Telemetry:
    """This container's telemetry."""
    with _building:
        return _telemetry()


def ports() -> Ports:
    """This container's ports, built from the environment once."""
    with _building:
        return _ports()


@cache
def _telemetry() -> Telemetry:
    return Telemetry()


@cache
def _ports() -> Ports:
    return build(os.environ)


def build(env: Mapping[str, str]) -> Ports:
    """Ports from TABLE_NAME, KMS_KEY_ID, STAGE, PUBLIC_URL, CLOCK_SOURCE, ALLOWED_PRIVATE_TARGETS."""
    clock = clocks.from_environment(env)
    session = botocore.session.get_session()  # what boto3.client is built of, a tenth of a start lighter
    dynamodb: Any = session.create_client("dynamodb", config=AWS_CONFIG)
    kms: Any = session.create_client("kms", config=AWS_CONFIG)
    store = DynamoStore(dynamodb, env["TABLE_NAME"])
    merchants = Merchants(dynamodb, kms, env["TABLE_NAME"], env["KMS_KEY_ID"], clock.monotonic)
    observe = telemetry().observe
    targets = frozenset(filter(None, (part.strip() for part in env.get("ALLOWED_PRIVATE_TARGETS", "").split(","))))
    return Ports(
        stage=env["STAGE"],
        store=store,
        centres=AccountCentres(merchants, observe, targets),
        breakers=Breakers(store, clock),
        clock=clock,
        token=lambda: secrets.token_urlsafe(12),
        pace=Pacer(),
        observe=observe,
        public_url=env.get("PUBLIC_URL", ""),
    )
