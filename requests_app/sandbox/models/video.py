"""Text and images to video: WebM files made on this machine, silent and small."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from requests_app.sandbox.media import clips, pictures

from .base import Context, Endpoint
from .files import in_thread, keep_video, picture, seed_of
from .shapes import SAMPLES, SHAPES, ImageSize, Shape, VideoOutput, pixels

FIRST = f"{SAMPLES}/boats-on-the-sea-in-the-morning.jpg"
LAST = f"{SAMPLES}/boats-on-the-sea-at-night.jpg"
NEGATIVE = (
    "blur, distort, and low quality, jitter, flicker, overexposed, washed-out colours, static frame, extra limbs,"
    " deformed hands, watermark, subtitles, text, picture-in-picture, cropped subject, wrong perspective"
)


class TextToVideoInput(Shape):
    prompt: str = Field(
        min_length=1, max_length=2500, description="What happens.",
        examples=["the camera glides over a snowy mountain at dawn"],
    )  # fmt: skip
    negative_prompt: str = Field(NEGATIVE, max_length=2500)
    video_size: (
        ImageSize | Literal["landscape_16_9", "portrait_16_9", "square_hd", "square"] | None
    ) = Field("landscape_16_9", description="Size of the video.")
    duration: Literal["5", "10"] = Field("5", description="Seconds.")
    cfg_scale: float = Field(0.5, ge=0, le=1, description="How closely to follow the prompt.")
    generate_audio: bool = Field(default=True, description="No sound is made here.")
    enhance_prompt: bool = True
    seed: int | None = None


class ImageToVideoInput(Shape):
    prompt: str = Field(max_length=2500, examples=["the light slowly changes"])
    aspect_ratio: Literal["16:9", "4:3", "1:1", "3:4", "9:16"] | None = Field(
        None, description="Left out: that of the first picture."
    )
    resolution: Literal["360p", "540p", "720p", "1080p"] = "720p"
    duration: Literal["5", "8", "10"] = Field("5", description="Seconds. 1080p: up to 8.")
    negative_prompt: str = Field("", max_length=500)
    style: Literal["anime", "3d_animation", "clay", "comic", "cyberpunk"] | None = Field(
        None, description="Left out: none."
    )
    seed: int | None = None
    image_url: str = Field(description="The first frame.", examples=[FIRST])
    end_image_url: str | None = Field(None, description="The last frame.", examples=[LAST])
    loop: bool = Field(default=False, description="End where it began.")


class TrackPoint(Shape):
    x: float = Field(description="Pixels from the left.")
    y: float = Field(description="Pixels from the top.")


class TrackInput(Shape):
    prompt: str = Field(examples=["the boat follows the line"])
    image_url: str = Field(examples=[FIRST])
    track: list[list[TrackPoint]] = Field(
        description="Paths of points, one list for each.",
        examples=[[[{"x": 80, "y": 200}, {"x": 240, "y": 180}, {"x": 400, "y": 220}]]],
    )
    resolution: Literal["480p", "580p", "720p"] = "480p"
    seed: int | None = None
    guidance_scale: float = 5
    num_inference_steps: int = 40


class CourserInput(Shape):
    """Video from one to nine pictures."""

    prompt: str = Field(
        min_length=1, description="Refer to the pictures as @1 to @9.", examples=["@1 meets @2"]
    )
    image_urls: list[str] = Field(
        description="One to nine pictures of up to 10 MB, PNG or JPEG.", examples=[[FIRST, LAST]],
        json_schema_extra={"items": {"type": "string", "_fal_ui_field": "image"}},
    )  # fmt: skip
    aspect_ratio: Literal["16:9", "9:16", "1:1", "4:3", "3:4"] = "16:9"
    resolution: Literal["720p", "1080p"] = "1080p"
    duration: Literal[3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] = Field(
        5, description="Seconds.", examples=[5, 10, 15]
    )
    seed: int | None = None
    enable_safety_checker: bool = True


async def text_to_video(given: TextToVideoInput, context: Context) -> VideoOutput:
    seed, seconds = seed_of(given.seed), int(given.duration)
    await context.work(10, 5, "frames")
    size = pictures.fitted(pixels(given.video_size, "landscape_16_9"))
    made = await in_thread(clips.pan, given.prompt, size, seed, seconds)
    context.units = seconds
    return VideoOutput(video=keep_video(made, context, clips.FPS), seed=seed)


async def image_to_video(given: ImageToVideoInput, context: Context) -> VideoOutput:
    first = await picture(given.image_url, context, "image_url")
    last = None
    if given.end_image_url is not None:
        last = await picture(given.end_image_url, context, "end_image_url")
    if given.loop:
        last = first
    await context.work(10, 5, "frames")
    if given.aspect_ratio is not None:
        first = first.resize(SHAPES[given.aspect_ratio])
    seconds = int(given.duration)
    made = await in_thread(clips.move, first, last, seconds)
    context.units = seconds
    return VideoOutput(video=keep_video(made, context, clips.FPS), seed=seed_of(given.seed))


async def track(given: TrackInput, context: Context) -> VideoOutput:
    first = await picture(given.image_url, context, "image_url")
    points = [(int(p.x), int(p.y), True) for path in given.track for p in path]
    context.log(f"{len(given.track)} tracks with {len(points)} points", "INFO")
    await context.work(8, 4)
    last = await in_thread(pictures.marked, first, points, [])
    made = await in_thread(clips.move, first, last, 4)
    return VideoOutput(video=keep_video(made, context, clips.FPS), seed=seed_of(given.seed))


async def courser(given: CourserInput, context: Context) -> VideoOutput:
    all_of = [
        await picture(url, context, "image_urls", number)
        for number, url in enumerate(given.image_urls[:9])
    ]
    seed = seed_of(given.seed)
    await context.work(given.duration, 5, "seconds")
    size = SHAPES[given.aspect_ratio]
    if all_of:
        last = all_of[-1].resize(size) if len(all_of) > 1 else None
        made = await in_thread(clips.move, all_of[0].resize(size), last, given.duration)
    else:
        made = await in_thread(clips.pan, given.prompt, size, seed, given.duration)
    context.units = given.duration
    return VideoOutput(video=keep_video(made, context, clips.FPS), seed=seed)


ENDPOINTS = [
    Endpoint(
        id="sandbox/motion/text-to-video", title="Motion lookalike", category="text-to-video",
        description="A short silent video from words.",
        input=TextToVideoInput, output=VideoOutput, run=text_to_video, capacity=2, obeys_cancel=True,
    ),
    Endpoint(
        id="sandbox/motion/image-to-video", title="Motion from images lookalike",
        category="image-to-video", description="A video from a first and, if wanted, a last frame.",
        input=ImageToVideoInput, output=VideoOutput, run=image_to_video, capacity=2,
        obeys_cancel=True, nullable=False,
    ),
    Endpoint(
        id="sandbox/track/image-to-video", title="Tracks lookalike", category="image-to-video",
        description="A video in which things follow given paths.",
        input=TrackInput, output=VideoOutput, run=track, nullable=False,
    ),
    Endpoint(
        id="acme/courser/reference-to-video", title="Courser", category="image-to-video",
        description="A video from up to nine pictures.",
        input=CourserInput, output=VideoOutput, run=courser, capacity=2, obeys_cancel=True,
    ),
]  # fmt: skip
