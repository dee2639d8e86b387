"""A merchant's settings (商家設定): which account at which centre, and what differs from that centre's defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from einvoice.errors import InvalidRequest, Violation
from einvoice.model import ProviderProfile

# Origins of the centres, by (provider, live). ECPay: developers.ecpay.com.tw, "B2C電子發票" API addresses.
ORIGINS = {
    ("ecpay", False): "https://einvoice-stage.ecpay.com.tw",
    ("ecpay", True): "https://einvoice.ecpay.com.tw",
}
PROVIDERS = frozenset(provider for provider, _ in ORIGINS)
LAST_CUTOFF_DAY = 15  # a period is filed by the 15th of the next month: 加值型及非加值型營業稅法 art. 35
MAX_SAME_NUMBER_HOURS = 77 * 24  # from the 1st of July to the 15th of September: no void is possible for longer

#: settings that are one of a few words, with the code of the violation where they are not
CHOICES = {
    "void_scope": ("SCOPE", ("issue_period_only", "until_cutoff")),
    "reissue_scope": ("SCOPE", ("issue_period_only", "until_cutoff")),
    "filing": ("FILING", ("bimonthly", "monthly")),
    "history": ("HISTORY", ("allowance_remaining", "void_allowances_first")),
    "consent_required": ("CONSENT", ("business", "always", "never")),
}
#: settings that are a whole number: code of the violation, smallest, largest
NUMBERS = {
    "void_cutoff_day": ("CUTOFF_DAY", 1, LAST_CUTOFF_DAY),
    "same_number_hours": ("SAME_NUMBER_HOURS", 1, MAX_SAME_NUMBER_HOURS),
}
FLAGS = ("same_number_reissue", "paper_back_required", "partial_allowances", "void_donated")
#: what can be told to wait for the ministry's 成功, see ``ProviderProfile.upload_first``
UPLOAD_STEPS = (
    "void",
    "same_number",
    "allowance",
    "allowance_void",
    "void_after_allowances",
    "issue_after_void",
    "issue_after_allowance",
)

_MERCHANT = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
_CREDENTIAL_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")  # a name, or an IPv6 address without its brackets
_ACCOUNT = re.compile(r"[0-9A-Za-z]{1,10}")  # ECPay MerchantID: String(10)


@dataclass(frozen=True, slots=True)
class Settings:
    """What this merchant has otherwise than its centre (個別設定); None: as the centre's profile says.

    The names are those of ``ProviderProfile``, because they replace its values; what each means stands there.
    An empty ``upload_first`` is given too: nothing waits.
    """

    void_scope: str | None = None
    void_cutoff_day: int | None = None
    reissue_scope: str | None = None
    same_number_reissue: bool | None = None
    same_number_hours: int | None = None
    filing: str | None = None
    history: str | None = None
    consent_required: str | None = None
    paper_back_required: bool | None = None
    partial_allowances: bool | None = None
    void_donated: bool | None = None
    upload_first: frozenset[str] | None = None

    def given(self) -> dict[str, Any]:
        """The settings that are given, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Settings:
        """Settings by name; ``upload_first`` may be any list of names.

        Raises InvalidRequest for unknown names; values are checked with the rest of the config.
        """
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise InvalidRequest([Violation("UNKNOWN_SETTING", f"settings.{name}", "沒有這個設定") for name in unknown])
        return cls(**{name: _as_set(value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class MerchantConfig:
    """One merchant (商家), validated when made: raises InvalidRequest with every violation at once.

    ``live``: True issues real invoices at the centre's production address; it never changes for a merchant id,
    so an order can not be begun at the test centre and continued at the real one.
    ``credential_id``: the key in use for new orders; empty until the first one is taken into use.
    ``rev`` counts the writes; 0 has never been stored.
    """

    merchant: str
    provider: str
    account: str
    base_url: str
    credential_id: str = ""
    live: bool = False
    enabled: bool = True
    settings: Settings = field(default_factory=Settings)
    rev: int = 0

    def __post_init__(self) -> None:
        violations = [*_identity_violations(self), *_address_violations(self), *_settings_violations(self.settings)]
        if violations:
            raise InvalidRequest(violations)

    def profile(self, centre: ProviderProfile) -> ProviderProfile:
        """The centre's profile with this merchant's settings in place."""
        return replace(centre, **self.settings.given())


def valid_merchant(merchant: str) -> bool:
    """Whether ``merchant`` may be a merchant id; checked before it becomes part of any key.

    >>> valid_merchant("a-shop"), valid_merchant("A"), valid_merchant("x#y")
    (True, False, False)
    """
    return _MERCHANT.fullmatch(merchant) is not None


def valid_credential_id(credential_id: str) -> bool:
    """Whether ``credential_id`` may name a credential.

    >>> valid_credential_id("2026-11"), valid_credential_id("")
    (True, False)
    """
    return _CREDENTIAL_ID.fullmatch(credential_id) is not None


def target_allowed(base_url: str, private_targets: frozenset[str]) -> bool:
    """Whether invoices may be sent to ``base_url``: a centre's own address, or one listed for local runs.

    >>> target_allowed("https://einvoice.ecpay.com.tw", frozenset())
    True
    >>> target_allowed("http://127.0.0.1:9000", frozenset())
    False
    """
    return base_url in ORIGINS.values() or base_url in private_targets


def to_record(config: MerchantConfig) -> dict[str, Any]:
    """The settings as they are stored."""
    record = {f.name: getattr(config, f.name) for f in fields(config)}
    given = config.settings.given()
    settings = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in given.items()}
    return {**record, "settings": settings}


def from_record(record: Mapping[str, Any]) -> MerchantConfig:
    """The settings as they were stored. Raises InvalidRequest if a person put something else there."""
    values = {f.name: record[f.name] for f in fields(MerchantConfig) if f.name in record}
    missing = sorted({"merchant", "provider", "account", "base_url"} - set(values))
    if missing:
        raise InvalidRequest([Violation("MISSING", name, "設定不完整") for name in missing])
    settings = {name: _number(value) for name, value in dict(values.get("settings", {})).items()}
    values |= {"settings": Settings.from_mapping(settings), "rev": _number(values.get("rev", 0))}
    return MerchantConfig(**values)


def _number(value: Any) -> Any:  # noqa: ANN401  # whatever the store holds; checked by MerchantConfig
    """The store gives every number as a Decimal; ours are whole."""
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def _as_set(value: Any) -> Any:  # noqa: ANN401  # whatever the store or a terminal has; checked by MerchantConfig
    """Lists of names have no order; anything that is no list of texts stays what it is, and is refused as such."""
    if isinstance(value, (list, tuple, set)) and all(isinstance(one, str) for one in value):
        return frozenset(value)
    return value


def _identity_violations(config: MerchantConfig) -> list[Violation]:
    checks = (
        (valid_merchant(config.merchant), "MERCHANT_ID", "merchant", "商家代號限小寫英數字與連字號，2 至 40 字"),
        (config.provider in PROVIDERS, "PROVIDER", "provider", "沒有這家加值中心"),
        (_ACCOUNT.fullmatch(config.account) is not None, "ACCOUNT", "account", "加值中心帳號限 10 個英數字"),
        (
            not config.credential_id or valid_credential_id(config.credential_id),
            "CREDENTIAL_ID",
            "credential_id",
            "憑證代號限小寫英數字與連字號，最多 40 字",
        ),
        (isinstance(config.live, bool), "FLAG", "live", "須為 true 或 false"),
        (isinstance(config.enabled, bool), "FLAG", "enabled", "須為 true 或 false"),
    )
    return [Violation(code, path, message) for ok, code, path, message in checks if not ok]


def _address_violations(config: MerchantConfig) -> list[Violation]:
    """An origin and nothing else; exactly the real centre for live merchants, any host but its for the others."""
    host = _origin_host(config.base_url)
    if host is None:
        return [Violation("BASE_URL", "base_url", "網址須為小寫的 https://主機 或 http://主機:埠，不含路徑")]
    real = ORIGINS.get((config.provider, True), "")
    if (config.live and config.base_url != real) or (not config.live and host == _origin_host(real)):
        return [Violation("LIVE_MISMATCH", "base_url", "正式商家須用正式網址，測試商家不得用正式網址")]
    return []


def _origin_host(url: str) -> str | None:
    """The host of an origin (scheme, host, perhaps port); None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port  # raises for a port that is none
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or not _HOST.fullmatch(parts.hostname):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    exact = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    return parts.hostname.rstrip(".") if url == exact else None


def _settings_violations(settings: Settings) -> list[Violation]:
    """The fields are typed, but what the store or a terminal puts there is not."""
    given = settings.given()
    return [violation for name, value in given.items() if (violation := _setting_violation(name, value)) is not None]


def _setting_violation(name: str, value: object) -> Violation | None:
    path = f"settings.{name}"
    if name in CHOICES:
        code, choices = CHOICES[name]
        return None if value in choices else Violation(code, path, f"須為 {' 或 '.join(choices)}")
    if name in NUMBERS:
        code, least, most = NUMBERS[name]
        within = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return None if within else Violation(code, path, f"須為 {least} 至 {most} 的整數")
    if name in FLAGS:
        return None if isinstance(value, bool) else Violation("FLAG", path, "須為 true 或 false")
    known = isinstance(value, frozenset) and value <= frozenset(UPLOAD_STEPS)
    return None if known else Violation("UPLOAD_STEP", path, f"須為清單，可用的名稱：{'、'.join(UPLOAD_STEPS)}")
