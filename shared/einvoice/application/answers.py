"""What an operation answers (答覆): the head, whether something new came of it, or what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass

from einvoice.errors import Conflict, NotFound, Reason
from einvoice.store.base import Head, State

PENDING = frozenset({State.ISSUING, State.WAITING, State.VOIDING, State.REISSUING, State.ALLOWING})
RETRY_AFTER_S = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """The order's head and which generation the caller asked about; ``new`` when this request brought it about."""

    head: Head
    generation: int
    new: bool = False


def retry_after(head: Head, now: int) -> int:
    """Seconds after which asking again may tell more: 5 to 900. A correction that waits moves when ``confirm`` asks."""
    due = head.due_at or (head.confirm_at if head.planned else None) or now + RETRY_AFTER_S
    return min(max(due - now, 5), 900)


def check_key(head: Head, operation: str, idempotency_key: str, body_hash: str) -> None:
    """Refuse (422) the same idempotency key (冪等鍵) with another body."""
    check_pair(head.keys.get(operation), idempotency_key, body_hash)


def check_pair(stored: list[str] | None, idempotency_key: str, body_hash: str) -> None:
    """The same for one pair of key and body hash, however it was kept."""
    if idempotency_key and stored and stored[0] == idempotency_key and stored[1] != body_hash:
        raise Conflict(
            Reason.FIX_REQUEST,
            "IDEMPOTENCY_KEY_REUSED",
            "同一個 Idempotency-Key 先前已用於不同的內容，請換一個新的鍵，或送出與先前完全相同的內容。",
            status=422,
        )


def generation_of(head: Head | None, generation: int) -> Head:
    """The head, if it has or had this generation; NotFound otherwise."""
    if head is None or generation > head.generation or head.state is State.WANTED:
        raise NotFound
    return head


def in_flight(head: Head, now: int) -> Conflict:
    """409: the order's invoice is still on its way; ask again later."""
    return Conflict(
        Reason.WAIT,
        "ORDER_IN_PROGRESS",
        "這筆訂單的發票正在處理中，請稍後再送出同一個請求。",
        retry_after_s=retry_after(head, now),
    )


def needs_a_person() -> Conflict:
    """409: flagged; the two sides differ and a person has to decide."""
    return Conflict(
        Reason.ASK_A_PERSON, "ATTENTION", "這筆訂單與加值中心的資料不一致，需要人員確認後才能繼續，請聯絡客服。"
    )


def old_generation() -> Conflict:
    """409: the invoice named has been replaced."""
    return Conflict(
        Reason.ORDER_HAS_INVOICE, "OLD_GENERATION", "這張發票已被後來的發票取代，請改用這筆訂單目前的發票。"
    )


def other_body() -> Conflict:
    """409: the order already stands with another content."""
    return Conflict(
        Reason.ORDER_HAS_INVOICE,
        "ORDER_HAS_INVOICE",
        "這筆訂單已有內容不同的發票（或正在開立），不得重複開立；要更正請使用「再次開立」。",
    )


def cancelled() -> Conflict:
    """409: the platform had cancelled the order before its invoice was issued."""
    return Conflict(
        Reason.ASK_A_PERSON, "ORDER_CANCELLED", "這筆訂單已被取消，因此不開立發票；若取消有誤，請聯絡客服。"
    )


def fully_refunded() -> Conflict:
    """422: the buyer got everything back, so nothing is billed again."""
    return Conflict(Reason.ALREADY_DONE, "FULLY_REFUNDED", "此訂單已全額退款或取消，不得再開立發票。", status=422)


def facts_recorded() -> Conflict:
    """422: what people recorded decides which change is lawful, and only a correction reads it."""
    return Conflict(
        Reason.USE_ALLOWANCE,
        "FACTS_RECORDED",
        "這筆訂單已登錄會影響作廢方式的事實（例如已申報扣抵、已兌獎、紙本是否收回），請使用更正功能，由系統選擇合法的方式。",
        status=422,
    )


def correcting(head: Head, now: int) -> Conflict:
    """409: a correction of this order is under way, or waits; what it wants comes first."""
    return Conflict(
        Reason.WAIT,
        "CORRECTION_IN_PROGRESS",
        "這筆訂單的更正或折讓正在處理中，完成後再送出同一個請求；進度請查詢訂單。",
        retry_after_s=retry_after(head, now),
    )
