"""Uploaded pictures are decoded and encoded anew, or refused in one sentence; nothing else happens."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from workshops.programmes import own_process, picture_encoding
from workshops.programmes.picture_encoding import BYTE_LIMIT, LONGEST, NotAPicture, encode, encoded

NO_PICTURE = "This is no picture that we can read. Choose a JPEG, PNG, WebP or GIF file."
TOO_MANY_PIXELS = "This picture has too many pixels. Choose one with at most 50 million."


def file_of(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def chunks(webp: bytes) -> list[bytes]:
    """The names of the parts of a WebP file."""
    assert (webp[:4], webp[8:12]) == (b"RIFF", b"WEBP")
    names, at = [], 12
    while at < len(webp):
        names.append(webp[at : at + 4])
        size = struct.unpack("<I", webp[at + 4 : at + 8])[0]
        at += 8 + size + size % 2
    return names


def colour(data: bytes, x: int, y: int) -> tuple[int, ...]:
    return opened(data).convert("RGB").getpixel((x, y))


def is_near(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(found, wanted, strict=True))


# --- what is kept -------------------------------------------------------------------------------------------


def test_nothing_but_the_picture_is_kept():
    exif = Image.Exif()
    exif[0x010F], exif[0x9286] = "Maker of phones", "taken at home"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    uploaded = file_of(
        Image.new("RGB", (40, 30), "teal"), "JPEG", exif=exif, icc_profile=profile, comment=b"a comment"
    )
    kept = encode(uploaded)
    assert chunks(kept.data) == [b"VP8 "]
    assert b"phones" in uploaded
    assert b"phones" not in kept.data
    assert (kept.width, kept.height, opened(kept.data).size) == (40, 30, (40, 30))


def test_a_picture_stands_as_the_camera_was_held():
    image = Image.new("RGB", (60, 20), "white")
    image.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    kept = encoded(file_of(image, "JPEG", exif=exif, quality=95))
    assert (kept.width, kept.height) == (20, 60)
    assert is_near(colour(kept.data, 10, 5), (255, 0, 0))


@pytest.mark.parametrize("size", [(4000, 300), (300, 4000), (1601, 1601)])
def test_the_longest_side_is_at_most_1600_pixels(size):
    kept = encoded(file_of(Image.new("RGB", size, "teal"), "JPEG"))
    assert max(kept.width, kept.height) == LONGEST


def test_noise_is_made_small_enough_too():
    noise = Image.effect_noise((1600, 1600), 120).convert("RGB")
    assert len(encoded(file_of(noise)).data) <= BYTE_LIMIT


def test_equal_files_have_equal_hashes():
    uploaded = file_of(Image.new("RGB", (10, 10), "teal"))
    assert encode(uploaded).sha256 == encode(uploaded).sha256


def test_what_can_be_seen_through_stands_on_white():
    kept = encoded(file_of(Image.new("RGBA", (20, 20), (0, 0, 0, 0))))
    assert is_near(colour(kept.data, 10, 10), (255, 255, 255))


def test_cmyk_becomes_rgb():
    kept = encoded(file_of(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG", quality=95))
    assert is_near(colour(kept.data, 10, 10), (255, 0, 0))


def test_sixteen_bits_are_scaled_and_not_clipped():
    grey = Image.new("I;16", (20, 20), 0x8000)
    assert is_near(colour(encoded(file_of(grey)).data, 10, 10), (128, 128, 128))


@pytest.mark.parametrize(("mode", "fill"), [("1", 1), ("P", 0), ("LA", (200, 128)), ("L", 90)])
def test_every_mode_of_a_png_is_read(mode, fill):
    kept = encoded(file_of(Image.new(mode, (20, 20), fill)))
    assert opened(kept.data).mode == "RGB"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_frame_is_kept(kind):
    frames = [Image.new("RGB", (20, 20), name) for name in ("red", "blue", "green")]
    kept = encoded(
        file_of(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    )
    assert is_near(colour(kept.data, 10, 10), (255, 0, 0))
    assert getattr(opened(kept.data), "n_frames", 1) == 1


# --- what is refused ----------------------------------------------------------------------------------------


def png_that_claims(width: int, height: int) -> bytes:
    """A valid PNG of a few bytes whose header says it is large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (50_001, 1000), (2**31 - 1, 2**31 - 1)])
def test_a_small_file_that_would_become_a_huge_picture_is_refused_before_it_is_decoded(width, height):
    with pytest.raises(NotAPicture) as refused:
        encode(png_that_claims(width, height))
    assert str(refused.value) == TOO_MANY_PIXELS


@pytest.mark.parametrize(
    "uploaded",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><p>no</p>",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        file_of(Image.new("RGB", (9, 9)), "TIFF"),
        file_of(Image.new("RGB", (9, 9)), "BMP"),
        file_of(Image.new("RGB", (9, 9)), "ICO"),
        file_of(Image.effect_noise((90, 90), 50))[:300],
        file_of(Image.effect_noise((90, 90), 50), "JPEG")[:300],
        png_that_claims(0, 0),
    ],
    ids=["empty", "svg", "html", "pdf", "eps", "tiff", "bmp", "ico", "half a png", "half a jpeg", "no size"],
)
def test_what_is_no_picture_that_we_read_is_refused_in_one_sentence(uploaded):
    with pytest.raises(NotAPicture) as refused:
        encode(uploaded)
    assert str(refused.value) == NO_PICTURE


def test_a_file_that_is_too_large_is_not_read():
    with pytest.raises(NotAPicture, match="too large: a picture may have 12 MB"):
        encode(b"\0" * (picture_encoding.UPLOAD_LIMIT + 1))


def test_a_decoder_that_hangs_or_dies_is_a_sentence(monkeypatch):
    def failed(_module: str, _sent: bytes) -> bytes:
        raise own_process.ProcessFailed("ended with -11")

    monkeypatch.setattr(own_process, "run", failed)
    with pytest.raises(NotAPicture, match="could not be read in time"):
        encode(b"anything")


def test_a_process_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(own_process, "SECONDS", 0.001)
    with pytest.raises(own_process.ProcessFailed, match="took longer than"):
        own_process.run("workshops.programmes.picture_encoding", b"")


SEEDS = [
    file_of(Image.effect_noise((24, 18), 60).convert("RGB"), kind, **options)
    for kind, options in (
        ("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("WEBP", {"lossless": True}),
        ("GIF", {}),
    )
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_is_sent_a_small_picture_comes_or_a_sentence(data):
    uploaded = bytearray(data.draw(st.sampled_from(SEEDS) | st.binary(max_size=300)))
    for _ in range(data.draw(st.integers(0, 6))):
        if uploaded:
            uploaded[data.draw(st.integers(0, len(uploaded) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(uploaded)))
    uploaded = bytes(uploaded[:cut]) + data.draw(st.binary(max_size=20))
    try:
        kept = encoded(uploaded)
    except picture_encoding.Refused:
        return
    assert chunks(kept.data) == [b"VP8 "]
    assert len(kept.data) <= BYTE_LIMIT
    assert max(kept.width, kept.height) <= LONGEST
