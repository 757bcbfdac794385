"""The sentences of the checks: exactly for some values, with what was measured, and without."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dispatch_core.ids import CheckOutcome, PhotoCheckCode


class Said(msgspec.Struct, frozen=True):
    """The same words twice."""

    zh: str
    en: str


EXACT: Mapping[tuple[PhotoCheckCode, CheckOutcome, str], Said] = {
    ("file_whole", "fail", "not_a_photo"): Said("文件不是照片。", "The file is no photo."),
    ("file_whole", "fail", "cut_off"): Said("文件被截断，不完整。", "The file is cut off."),
    ("file_whole", "fail", "broken"): Said("文件已损坏。", "The file is broken."),
    ("file_whole", "fail", "too_large"): Said(
        "照片尺寸超出限制。", "The picture is larger than is allowed."
    ),
    ("in_fence", "fail", "made_up"): Said(
        "手机报告该位置是虚拟的。", "The phone said that its position is made up."
    ),
    ("in_fence", "warn", "other_phone"): Said(
        "由另一部手机拍摄，且没有位置：不能确认在现场。",
        "Another phone than the one that checked in took it, and gave no position.",
    ),
    ("in_window", "fail", "no_check_in"): Said("拍摄班组没有签到。", "The crew never checked in."),
    ("credentials", "unknown", "unknown_signer"): Said(
        "有内容凭证，但签发者不可识别。",
        "There are content credentials, by a signer that is not known.",
    ),
    ("trust", "pass", "a"): Said(
        "在应用内拍摄，口令和签名有效（A）。", "Taken in the app: word and signature hold (A)."
    ),
    ("trust", "pass", "b"): Said(
        "相机信息或内容凭证完整（B）。", "The camera's record or its credentials are whole (B)."
    ),
    ("trust", "warn", "gallery"): Said(
        "从相册选取，需人工查看（C）。", "Picked from the gallery: a person looks (C)."
    ),
    ("trust", "warn", "c"): Said(
        "来自相册或信息已被去除，需人工查看（C）。",
        "From the gallery or stripped of its record: a person looks (C).",
    ),
}
MEASURED: Mapping[tuple[PhotoCheckCode, CheckOutcome], Said] = {
    ("seen_bytes", "fail"): Said(
        "同一文件已在工单 {value} 用过。", "This very file was used for ticket {value}."
    ),
    ("seen_eye", "pass"): Said(
        "与最接近的照片相差 {value} 位；{threshold} 位以内才算同一张。",
        "The nearest other photo differs in {value} bits; up to {threshold} would be the same one.",
    ),
    ("seen_eye", "warn"): Said(
        "与另一张照片只差 {value} 位（界限 {threshold} 位），但画面内容太少，不能断定。",
        "It differs from another photo in only {value} bits ({threshold} or "
        "fewer are the same), but shows too little to be sure.",
    ),
    ("seen_eye", "unknown"): Said(
        "照片上几乎看不出内容（{value}，满分 100；低于 {threshold} 无法比对），需人工查看。",
        "There is hardly anything to see on the photo ({value} of 100; below {threshold} nothing "
        "can be compared): a person looks.",
    ),
    ("seen_eye", "fail"): Said(
        "与另一张照片只差 {value} 位；{threshold} 位以内视为同一张。",
        "It differs from another photo in only {value} bits; "
        "{threshold} or fewer are the same photo.",
    ),
    ("seen_site", "pass"): Said(
        "与其他照片有 {value} 个相同点；{threshold} 个起视为同一场景。",
        "It shares {value} points with another photo; from {threshold} on it is the same scene.",
    ),
    ("seen_site", "warn"): Said(
        "与另一张照片有 {value} 个相同点，接近界限 {threshold} 个。",
        "It shares {value} points with another photo, close to the bound of {threshold}.",
    ),
    ("seen_site", "fail"): Said(
        "与另一张照片有 {value} 个相同点；{threshold} 个起视为同一场景。",
        "It shares {value} points with another photo; {threshold} or more are the same scene.",
    ),
    ("three_scenes", "pass"): Said(
        "与本单另一张照片相差 {value} 位；{threshold} 位以内才算同一场景。",
        "It differs from another photo of this ticket in {value} "
        "bits; up to {threshold} would be one scene.",
    ),
    ("three_scenes", "warn"): Said(
        "与本单另一张照片只差 {value} 位（界限 {threshold} 位），但画面内容太少，不能断定。",
        "It differs from another photo of this ticket in only {value} bits "
        "(bound {threshold}), but shows too little to be sure.",
    ),
    ("three_scenes", "fail"): Said(
        "与本单另一张照片只差 {value} 位；{threshold} 位以内是同一场景。",
        "It differs from another photo of this ticket in only {value} "
        "bits; {threshold} or fewer are one scene.",
    ),
    ("in_window", "fail"): Said(
        "拍摄时间在到场时段之外 {value}；允许 {threshold}。",
        "It was taken {value} outside the time on site; {threshold} are allowed.",
    ),
    ("in_window", "pass"): Said(
        "拍摄时间在到场时段内（相差 {value}，允许 {threshold}）。",
        "It was taken in the time on site ({value} off, {threshold} are allowed).",
    ),
    ("in_fence", "pass"): Said(
        "扣除定位自报误差，拍摄地点距楼 {value}；允许 {threshold}。",
        "Less the error that the position states, the picture was taken {value} from the building;"
        " {threshold} are allowed.",
    ),
    ("in_fence", "fail"): Said(
        "扣除定位自报误差，拍摄地点距楼 {value}；只允许 {threshold}。",
        "Less the error that the position states, the picture was taken {value} from the building;"
        " only {threshold} are allowed.",
    ),
    ("clocks_agree", "pass"): Said(
        "时钟最多相差 {value}；允许 {threshold}。",
        "The clocks are at most {value} apart; {threshold} are allowed.",
    ),
    ("clocks_agree", "warn"): Said(
        "时钟相差 {value}；允许 {threshold}。",
        "The clocks are {value} apart; {threshold} are allowed.",
    ),
    ("clocks_agree", "fail"): Said(
        "时钟相差 {value}，远超允许的 {threshold}。",
        "The clocks are {value} apart, far more than the {threshold} that are allowed.",
    ),
    ("sharp", "pass"): Said(
        "清晰度 {value}；至少应为 {threshold}。",
        "Sharpness {value}; at least {threshold} is wanted.",
    ),
    ("sharp", "warn"): Said(
        "照片模糊：清晰度 {value}，至少应为 {threshold}。",
        "The picture is blurred: sharpness {value}, at least {threshold} is wanted.",
    ),
    ("lit", "pass"): Said(
        "平均亮度 {value}（0 到 255），合适。", "Mean brightness {value} of 255: well lit."
    ),
    ("lit", "warn"): Said(
        "平均亮度 {value}（0 到 255），超出界限 {threshold}：太暗或太亮。",
        "Mean brightness {value} of 255, past the bound of {threshold}: too dark or too bright.",
    ),
    ("recapture", "pass"): Said(
        "翻拍迹象 {value}；{threshold} 起存疑。",
        "Signs of a screen {value}; {threshold} or more would be in doubt.",
    ),
    ("recapture", "warn"): Said(
        "像是翻拍屏幕：{value}，{threshold} 起存疑。",
        "It looks like a photo of a screen: {value}, in doubt from {threshold} on.",
    ),
}
PLAIN: Mapping[tuple[PhotoCheckCode, CheckOutcome], Said] = {
    ("file_whole", "pass"): Said(
        "文件完整，确是照片。", "The file is whole and what it claims to be."
    ),
    ("decodes", "pass"): Said("照片可以打开。", "The picture opens."),
    ("decodes", "fail"): Said("照片打不开。", "The picture does not open."),
    ("seen_bytes", "pass"): Said("这个文件没有在别处用过。", "This file was used nowhere else."),
    ("seen_eye", "pass"): Said("画面与以往照片都不同。", "It looks like no earlier photo."),
    ("seen_eye", "unknown"): Said(
        "照片打不开，无法比对画面。", "It does not open: nothing can be compared."
    ),
    ("seen_site", "pass"): Said(
        "场景与以往照片都不同。", "Its scene is on no earlier photo of this site or crew."
    ),
    ("three_scenes", "pass"): Said(
        "与本单其他照片场景不同。", "It is another scene than the other photos of this ticket."
    ),
    ("three_scenes", "unknown"): Said(
        "照片打不开，无法比对场景。", "It does not open: its scene cannot be compared."
    ),
    ("in_window", "unknown"): Said("没有可用的拍摄时间。", "Nothing says when it was taken."),
    ("in_fence", "unknown"): Said("没有可用的拍摄地点。", "Nothing says where it was taken."),
    ("clocks_agree", "unknown"): Said(
        "没有第二个时钟可比。", "There is no second clock to compare."
    ),
    ("sharp", "unknown"): Said("清晰度无法测量。", "Its sharpness cannot be measured."),
    ("lit", "unknown"): Said("亮度无法测量。", "Its brightness cannot be measured."),
    ("nonce", "pass"): Said("一次性口令有效。", "Its one-time word holds."),
    ("nonce", "fail"): Said(
        "一次性口令无效、过期或已用过。", "Its one-time word is wrong, spent or too old."
    ),
    ("nonce", "unknown"): Said(
        "没有一次性口令：不是在应用内拍摄。",
        "It has no one-time word: it was not taken in the app.",
    ),
    ("device_signature", "pass"): Said("手机签名有效。", "The phone's signature holds."),
    ("device_signature", "fail"): Said("手机签名无效。", "The phone's signature does not hold."),
    ("device_signature", "unknown"): Said("没有手机签名。", "It has no signature of a phone."),
    ("exif_intact", "pass"): Said("相机信息完整。", "The camera's record is whole."),
    ("exif_intact", "fail"): Said("相机信息被改动过。", "The camera's record was edited."),
    ("exif_intact", "unknown"): Said(
        "没有相机信息；很多应用会去除，不算过错。",
        "There is no camera's record; many apps strip it, which accuses nobody.",
    ),
    ("credentials", "pass"): Said("内容凭证有效。", "Its content credentials are valid."),
    ("credentials", "fail"): Said(
        "内容凭证与照片不符。", "Its content credentials do not fit the picture."
    ),
    ("credentials", "unknown"): Said("没有内容凭证。", "There are no content credentials."),
    ("recapture", "unknown"): Said(
        "无法判断是否翻拍。", "Whether it is a photo of a screen cannot be told."
    ),
}
