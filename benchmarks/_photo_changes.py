"""Photos to be found again, and what people do to a photo before they use it again."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Picture = Image.Image
SHARED = Path(__file__).resolve().parents[2] / "shared/data/photo"
SMALLEST = 300_000
"""Pixels of a photo that counts as one."""
TILE = 700


def jpeg(picture: Picture, quality: int = 85) -> bytes:
    """As a file."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def photos() -> list[Picture]:
    """Every real photo that is here, once, at most 1,600 pixels a side."""
    found: dict[bytes, Picture] = {}
    for path in [*sorted(SHARED.glob("exif/*.jpg")), SHARED / "pdq/bridge-mods/aaa-orig.jpg"]:
        try:
            with Image.open(path) as opened:
                if opened.width * opened.height < SMALLEST:
                    continue
                upright = ImageOps.exif_transpose(opened).convert("RGB")
        except OSError:
            continue
        upright.thumbnail((1600, 1600))
        look = np.asarray(upright.convert("L").resize((12, 12), Image.Resampling.BOX), np.int16)
        # the same picture in another frame or format is no other photo
        if all(np.abs(look - np.frombuffer(k, np.int16).reshape(12, 12)).mean() > 9 for k in found):
            found[look.tobytes()] = upright
    return list(found.values())


def tiles(pictures: list[Picture]) -> list[Picture]:
    """Parts of photos that share nothing: other scenes of the same light and grain."""
    found = []
    for picture in pictures:
        for y in range(0, picture.height - TILE + 1, TILE):
            columns = range(0, picture.width - TILE + 1, TILE)
            found += [picture.crop((x, y, x + TILE, y + TILE)) for x in columns]
    return found


def scene(seed: int, width: int = 1600, height: int = 1200) -> Picture:
    """A made scene: surfaces, pipes, dials and grain; another for each seed."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(40, 216, (6, 8, 3), np.uint8))
    picture = coarse.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(int(random.integers(25, 90))):
        x, y = int(random.integers(-50, width)), int(random.integers(-50, height))
        w, h = int(random.integers(15, width // 3)), int(random.integers(15, height // 3))
        colour = tuple(int(v) for v in random.integers(0, 256, 3))
        kind = int(random.integers(0, 4))
        if kind == 0:
            draw.rectangle((x, y, x + w, y + h), fill=colour)
        elif kind == 1:
            draw.ellipse((x, y, x + w, y + w), outline=colour, width=int(random.integers(3, 20)))
        elif kind == 2:
            draw.line((x, y, x + 3 * w, y + h), fill=colour, width=int(random.integers(4, 40)))
        else:
            draw.polygon([(x, y), (x + w, y + h // 3), (x + w // 2, y + h)], fill=colour)
    picture = picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0.4, 1.6))))
    grain = random.normal(0, float(random.uniform(2, 9)), (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def banner(picture: Picture, words: str = "暖 2026-01-15 09:32  34.75N 113.62E") -> Picture:
    """What a watermark camera prints: the same box with the same words on every photo."""
    out = picture.copy()
    draw = ImageDraw.Draw(out, "RGBA")
    w, h = out.size
    left, top, right, bottom = int(0.03 * w), int(0.74 * h), int(0.56 * w), int(0.96 * h)
    draw.rectangle((left, top, right, bottom), fill=(20, 80, 200, 190))
    for line in range(4):
        spot = (int(0.05 * w), int((0.76 + 0.05 * line) * h))
        draw.text(spot, words.encode("ascii", "ignore").decode() + f" line {line}", fill="white",
                  font_size=max(12, h // 28))  # fmt: skip
    return out


def recaptured(picture: Picture) -> Picture:
    """A photo of a screen: askew, with its lines and its glow."""
    a = np.asarray(picture).astype(np.float32)
    h, w = a.shape[:2]
    src = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    dst = np.array(
        [[0.04 * w, 0.05 * h], [0.95 * w, 0.02 * h], [0.98 * w, 0.97 * h], [0.02 * w, 0.94 * h]],
        np.float32,
    )
    a = cv2.warpPerspective(a, cv2.getPerspectiveTransform(src, dst), (w, h), borderValue=(15,) * 3)
    y, x = np.mgrid[:h, :w]
    a *= (1 + 0.06 * np.sin(x * 2.1 + y * 0.13))[..., None]
    a = cv2.GaussianBlur(a, (0, 0), 0.8)
    a = 255 * (np.clip(a, 0, 255) / 255) ** 0.85
    return _saved(Image.fromarray(a.astype(np.uint8)), 80)


def _saved(picture: Picture, quality: int) -> Picture:
    with Image.open(io.BytesIO(jpeg(picture, quality))) as opened:
        return opened.convert("RGB")


def _cut(picture: Picture, share: float) -> Picture:
    """So much less of each side's length, around the middle."""
    w, h = picture.size
    x, y = int(w * share / 2), int(h * share / 2)
    return picture.crop((x, y, w - x, h - y))


def _boxed(picture: Picture) -> Picture:
    w, h = picture.size
    out = Image.new("RGB", (w, int(h * 1.3)), "black")
    out.paste(picture, (0, int(h * 0.15)))
    return out


def _noisy(picture: Picture) -> Picture:
    a = np.asarray(picture).astype(np.int16)
    noise = np.random.default_rng(1).normal(0, 12, a.shape)
    return Image.fromarray(np.clip(a + noise, 0, 255).astype(np.uint8))


def _chat(picture: Picture) -> Picture:
    return _saved(ImageOps.contain(picture, (1080, 1080)), 65)


CHANGES: Mapping[str, Callable[[Picture], Picture]] = {
    "jpeg_q30": lambda p: _saved(p, 30),
    "half_size": lambda p: p.resize((p.width // 2, p.height // 2)),
    "quarter_size": lambda p: p.resize((p.width // 4, p.height // 4)),
    "chat": _chat,
    "chat_three_times": lambda p: _saved(_saved(_chat(p), 60), 55),
    "banner": banner,
    "crop_5": lambda p: _cut(p, 0.05),
    "crop_10": lambda p: _cut(p, 0.10),
    "crop_20": lambda p: _cut(p, 0.20),
    "crop_40": lambda p: _cut(p, 0.40),
    "crop_side_30": lambda p: p.crop((0, 0, int(p.width * 0.7), p.height)),
    "rotate_3": lambda p: p.rotate(3, resample=Image.Resampling.BICUBIC),
    "rotate_12": lambda p: p.rotate(12, resample=Image.Resampling.BICUBIC, expand=True),
    "rotate_90": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "mirror": ImageOps.mirror,
    "letterbox": _boxed,
    "recaptured": recaptured,
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.35),
    "darker": lambda p: ImageEnhance.Brightness(p).enhance(0.55),
    "contrast": lambda p: ImageEnhance.Contrast(p).enhance(1.5),
    "noise": _noisy,
    "blur": lambda p: p.filter(ImageFilter.GaussianBlur(2.5)),
    "mirror_crop_20_chat": lambda p: _chat(_cut(ImageOps.mirror(p), 0.20)),
    "crop_10_banner_chat": lambda p: _chat(banner(_cut(p, 0.10))),
    "rotate_3_crop_20": lambda p: _cut(p.rotate(3, resample=Image.Resampling.BICUBIC), 0.20),
    "crop_20_recaptured": lambda p: recaptured(_cut(p, 0.20)),
}
