"""Video to video: compose tracks, move lips."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from requests_app.sandbox.media import clips, pictures

from .base import Context, Endpoint
from .files import check_media, in_thread, keep, keep_picture, keep_video
from .shapes import SAMPLES, Shape, VideoFile

CLIP = f"{SAMPLES}/waves-at-dawn.webm"


class Keyframe(Shape):
    timestamp: float = Field(ge=0, description="Milliseconds from the beginning.")
    duration: float = Field(ge=0, description="Milliseconds.")
    url: str = Field(description="The file that is shown or heard.")


class Track(Shape):
    id: str = Field(description="A name of your own.")
    type: str = Field(description="video, audio or image.", examples=["video", "audio", "image"])
    keyframes: list[Keyframe] = Field(description="What is on the track, and when.")


class ComposeInput(Shape):
    tracks: list[Track] = Field(
        description="The tracks, the lowest first.",
        examples=[[{"id": "1", "type": "video",
                    "keyframes": [{"timestamp": 0, "duration": 3000, "url": CLIP}]}]],
    )  # fmt: skip


class ComposeOutput(Shape):
    video_url: str = Field(description="The composed video.")
    thumbnail_url: str = Field(description="Its first frame.")


class LipsyncInput(Shape):
    video_url: str = Field(
        description="Who speaks.", examples=[CLIP],
        json_schema_extra={"x-fal": {"max_duration": 60, "min_fps": 8, "max_file_size": 209_715_200,
                                     "normalization": {"max_duration": 15}}},
    )  # fmt: skip
    audio_url: str = Field(
        description="What is said.", examples=[f"{SAMPLES}/good-morning-from-the-harbour.wav"]
    )
    model: Literal["lipsync-2", "lipsync-2-pro"] = "lipsync-2"
    sync_mode: Literal["cut_off", "loop", "bounce", "silence", "remap"] = Field(
        "cut_off", description="What happens when the two differ in length."
    )


class LipsyncOutput(Shape):
    video: VideoFile = Field(description="The video.")


async def compose(given: ComposeInput, context: Context) -> ComposeOutput:
    end = 1000.0
    for number, track in enumerate(given.tracks):
        for place, frame in enumerate(track.keyframes):
            check_media(frame.url, context, "tracks", number, "keyframes", place, "url")
            end = max(end, frame.timestamp + frame.duration)
    await context.work(5, 2, "segments")
    words = " ".join(track.id for track in given.tracks) or "nothing"
    data, size, _ = await in_thread(clips.pan, words, (480, 270), len(given.tracks), end / 1000)
    first = await in_thread(pictures.paint, words, size, len(given.tracks))
    context.units = min(end / 1000, clips.MAX_SECONDS)
    return ComposeOutput(
        video_url=keep(data, "video/webm", "webm", context).url,
        thumbnail_url=(await keep_picture(first, context, "jpeg")).url,
    )


async def lipsync(given: LipsyncInput, context: Context) -> LipsyncOutput:
    check_media(given.video_url, context, "video_url")
    check_media(given.audio_url, context, "audio_url")
    await context.work(6, 3, "frames")
    made = await in_thread(clips.pan, given.audio_url, (480, 270), 1, 4)
    return LipsyncOutput(video=keep_video(made, context, clips.FPS))


ENDPOINTS = [
    Endpoint(
        id="sandbox/compose/video", title="Compose lookalike", category="video-to-video",
        description="Puts videos, pictures and sounds on tracks together.",
        input=ComposeInput, output=ComposeOutput, run=compose, nullable=False,
    ),
    Endpoint(
        id="sandbox/lipsync/v2", title="Lipsync lookalike", category="video-to-video",
        description="Lets a face in a video say what is heard.",
        input=LipsyncInput, output=LipsyncOutput, run=lipsync, obeys_cancel=True,
    ),
]  # fmt: skip
