"""What was heard in a caller's words: the policy's words in them, without those taken back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dispatch_core.requests.policy import Policy

_TRADITIONAL = str.maketrans(
    "熱噴燙觸電氣煙蓋暈養維壞閥門響溫態舉報沒時麼錢臨暫復開戶裝網並費過變銷約終調節諮詢請問無涼滲"
    "來這們樓單號間個裡裏凍塊燒結顧線錯關壓見發現還邊場際從對應為與動華萬歲醫淚給",
    "热喷烫触电气烟盖晕养维坏阀门响温态举报没时么钱临暂复开户装网并费过变销约终调节咨询请问无凉渗"
    "来这们楼单号间个里里冻块烧结顾线错关压见发现还边场际从对应为与动华万岁医泪给",
)
_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff])")
"""Chinese is written without blanks; one that typing or a transcript left parts no word."""
_MOST_STEPS, _REACH = 6, 48
"""Fillers and negations, and characters, looked back over before a word."""


def fold(text: str) -> str:
    """Full-width, capital and common traditional characters made plain; length may change."""
    return _GAP.sub("", unicodedata.normalize("NFKC", text).lower().translate(_TRADITIONAL))


class _Vocabulary(NamedTuple):
    """Made of a policy once."""

    words: re.Pattern[str]
    meant: dict[str, str]
    """Folded word -> the policy's; those of `plain` are absent."""
    before: dict[str, bool]
    """What may end just before a word: True for a negation, False for a filler."""
    lengths: tuple[int, ...]
    """Of those, longest first, so that 没有 is not read as 没 and 有."""
    questions: tuple[str, ...]


def _any(words: Iterable[str]) -> str:
    """Longest first; a Latin word begins where a word begins."""
    longest = sorted({w for w in words if w}, key=lambda w: (-len(w), w))
    return "|".join(
        rf"(?<![a-z0-9]){re.escape(w)}" if w.isascii() else re.escape(w) for w in longest
    )


def _vocabulary(policy: Policy) -> _Vocabulary:
    said = [w for d in policy.dangers for w in d.words]
    said += [w for rule in policy.kinds.values() for w in rule.words]
    meant = {fold(w): w for w in reversed(said) if w}
    before = {fold(f).strip(): False for f in policy.fillers if f.strip()}
    before |= {fold(n).strip(): True for n in policy.negations if n.strip()}
    return _Vocabulary(
        words=re.compile(_any([*meant, *map(fold, policy.plain)])),
        meant=meant,
        before=before,
        lengths=tuple(sorted({len(w) for w in before}, reverse=True)),
        questions=tuple(fold(q) for q in policy.questions if q),
    )


class Ear:
    """Listens by one policy; made once for many texts."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._v = _vocabulary(policy)

    def listen(self, text: str) -> Iterator[str]:
        """Each word of the policy that is meant, as the policy writes it, once and in order; in
        time linear in the text."""
        folded = fold(text)
        said: set[str] = set()
        for match in self._v.words.finditer(folded):
            word = self._v.meant.get(match[0])
            if word is None or word in said or self._negated(folded, match.start()):
                continue
            said.add(word)
            yield word

    def _negated(self, text: str, at: int) -> bool:
        """Whether what stands just before `at` takes the word back; two negations cancel."""
        before = text[max(0, at - _REACH) : at].rstrip(" ")
        negated = False
        for _ in range(_MOST_STEPS):
            found = self._last(before)
            if found is None or before.endswith(self._v.questions):
                break
            negated ^= self._v.before[found]
            before = before[: -len(found)].rstrip(" ")
        return negated

    def _last(self, before: str) -> str | None:
        """The negation or filler that a text ends with."""
        for length in self._v.lengths:
            word = before[-length:]
            if word not in self._v.before:
                continue
            ahead = before[: -len(word)][-1:]
            if not (word.isascii() and ahead.isascii() and ahead.isalnum()):
                return word
        return None


_EARS: dict[int, Ear] = {}
_MOST_EARS = 64


def ear_of(policy: Policy) -> Ear:
    """The ear of a policy, made when it is first asked for: a policy is read once for seconds."""
    ear = _EARS.get(id(policy))
    if ear is None or ear.policy is not policy:
        if len(_EARS) >= _MOST_EARS:
            _EARS.clear()
        ear = _EARS[id(policy)] = Ear(policy)
    return ear
