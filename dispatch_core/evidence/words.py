"""What every check, doubt and slot says in plain words, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping

from dispatch_core.events import PhotoCheck
from dispatch_core.evidence.sentences import EXACT, MEASURED, PLAIN, Said
from dispatch_core.ids import (
    CheckOutcome,
    FixDoubt,
    PhotoCheckCode,
    SiteVerdict,
    Slot,
    UnjudgedReason,
)


class CheckSaid(PhotoCheck, frozen=True, kw_only=True, omit_defaults=True):
    """A check with its name and its sentence."""

    name_zh: str
    name_en: str
    zh: str
    en: str


OUTCOMES: Mapping[CheckOutcome, Said] = {
    "pass": Said("通过", "passed"),
    "warn": Said("存疑", "in doubt"),
    "fail": Said("不通过", "failed"),
    "unknown": Said("无法判断", "cannot be told"),
}
SLOTS: Mapping[Slot, Said] = {
    "fault_point": Said("故障点", "Fault"),
    "in_progress": Said("维修过程", "Repair in progress"),
    "user_confirmation": Said("用户确认", "Resident's confirmation"),
    "room": Said("房间", "Room"),
    "thermometer": Said("测温", "Thermometer"),
    "windows": Said("门窗", "Windows and doors"),
    "signature": Said("签字", "Signature"),
    "second_person": Said("第二人确认", "Second person"),
    "door": Said("门牌（无人应门）", "Door where nobody opened"),
    "notice": Said("通知留存", "Notice that was left"),
}
CHECKS: Mapping[PhotoCheckCode, Said] = {
    "file_whole": Said("文件完整", "File is whole"),
    "decodes": Said("可以打开", "Opens"),
    "seen_bytes": Said("未用过（文件）", "Not used before, by its bytes"),
    "seen_eye": Said("未用过（画面）", "Not used before, by eye"),
    "seen_site": Said("未用过（场景）", "Not used before, by its scene"),
    "three_scenes": Said("各照片场景不同", "Each photo its own scene"),
    "in_window": Said("拍摄时间", "Taken in the time on site"),
    "in_fence": Said("拍摄地点", "Taken at the building"),
    "clocks_agree": Said("时钟一致", "Clocks agree"),
    "sharp": Said("清晰度", "Sharp enough"),
    "lit": Said("亮度", "Lit well enough"),
    "nonce": Said("一次性口令", "One-time word"),
    "device_signature": Said("手机签名", "Phone's signature"),
    "exif_intact": Said("拍摄信息", "Camera's own record"),
    "credentials": Said("内容凭证", "Content credentials"),
    "recapture": Said("非翻拍", "Not a photo of a screen"),
    "trust": Said("来源可信度", "Where it comes from"),
}
DOUBTS: Mapping[FixDoubt, Said] = {
    "no_fix": Said("手机没有定位。", "The phone had no fix."),
    "no_place": Said(
        "工单地点不够精确，无法比对。", "The ticket's place is not known well enough."
    ),
    "zero_accuracy": Said(
        "定位精度为零，真实接收机不会这样。",
        "The fix claims to be exact to the point: no receiver does.",
    ),
    "inaccurate": Said("定位误差太大，不能说明位置。", "The fix is too inaccurate to say where."),
    "repeated": Said(
        "连续多次定位完全相同。", "Many fixes in a row are the same to the last digit."
    ),
    "too_fast": Said(
        "从上一个位置到这里的速度不可能。", "Nobody gets here that fast from the last place."
    ),
    "outlier": Said("与前后定位不符。", "It does not fit the fixes around it."),
    "clock_skew": Said(
        "手机时钟与服务器相差太多。", "The phone's clock is too far from the server's."
    ),
    "stale": Said("定位是较早以前的。", "The fix was old when the button was pressed."),
    "datum_suspect": Said(
        "像是坐标系偏移（GCJ-02）。", "It only fits as GCJ-02: the wrong datum, perhaps."
    ),
    "mock_location": Said("手机报告使用了模拟位置。", "The phone says that its place is made up."),
}
SITE: Mapping[SiteVerdict, Said] = {
    "in": Said("在现场", "On site"),
    "out": Said("不在现场", "Not on site"),
    "uncertain": Said("无法确定", "Cannot be told"),
}
UNJUDGED: Mapping[UnjudgedReason, Said] = {
    "killed": Said("自动检查两次中断。", "The checks broke off twice."),
    "too_slow": Said("自动检查两次超时。", "The checks took too long twice."),
    "defect": Said("自动检查两次出错。", "The checks went wrong twice."),
    "too_large": Said("打开这张照片需要的内存太大。", "Opening this photo takes too much memory."),
    "unreadable": Said("照片文件读不出来。", "The photo's file could not be read."),
}


def check_words(check: PhotoCheck) -> Said:
    """The sentence of a check, with what was measured against what."""
    exact = EXACT.get((check.code, check.outcome, str(check.value)))
    if exact is not None:
        return exact
    at = (check.code, check.outcome)
    measured = MEASURED.get(at)
    bound = check.threshold is not None or measured is None or "{threshold}" not in measured.zh
    if measured is not None and check.value is not None and bound:
        unit = check.measure
        return Said(
            measured.zh.format(value=_zh(check.value, unit), threshold=_zh(check.threshold, unit)),
            measured.en.format(value=_en(check.value, unit), threshold=_en(check.threshold, unit)),
        )
    plain = PLAIN.get(at)
    if plain is not None:
        return plain
    name, outcome = CHECKS[check.code], OUTCOMES[check.outcome]
    return Said(f"{name.zh}：{outcome.zh}。", f"{name.en}: {outcome.en}.")


def said_of(check: PhotoCheck) -> CheckSaid:
    """A check with its words."""
    name, words = CHECKS[check.code], check_words(check)
    return CheckSaid(
        code=check.code, outcome=check.outcome, value=check.value, threshold=check.threshold,
        measure=check.measure, name_zh=name.zh, name_en=name.en, zh=words.zh, en=words.en,
    )  # fmt: skip


def _zh(value: str | float | None, unit: str | None) -> str:
    if unit == "s" and isinstance(value, int | float):
        return _span(value, ("天", "小时", "分", "秒"), "")
    return f"{_number(value)} 米" if unit == "m" else _number(value)


def _en(value: str | float | None, unit: str | None) -> str:
    if unit == "s" and isinstance(value, int | float):
        return _span(value, (" d", " h", " min", " s"), " ")
    return f"{_number(value)} m" if unit == "m" else _number(value)


def _number(value: str | float | None) -> str:
    return f"{value:g}" if isinstance(value, float) and abs(value) < 100_000 else str(value)


def _span(seconds: float, units: tuple[str, str, str, str], gap: str) -> str:
    """The two largest units: 3 h 20 min."""
    left, parts = int(seconds), list[str]()
    for size, unit in zip((86_400, 3600, 60, 1), units, strict=True):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return gap.join(parts[:2]) or f"0{units[3]}"
