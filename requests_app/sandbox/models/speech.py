"""Speech: text to speech in three shapes, and back to text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from pydantic import Field

from requests_app.sandbox.media import sounds

from . import text
from .base import Context, Endpoint
from .files import check_media, in_thread, keep_sound
from .shapes import SAMPLES, AudioFile, AudioOutput, Shape

VOICES = ["Jennifer (English (US)/American)", "Dexter (English (US)/American)", "Ava (English (AU)/Australian)",
          "Tilly (English (AU)/Australian)", "Cillian (English (IE)/Irish)"]  # fmt: skip
RECORDING = f"{SAMPLES}/we-meet-at-the-harbour-when-the-light-turns.wav"
Speaker = Literal["Achernar", "Charon", "Kore", "Leda", "Orus", "Puck", "Zephyr"]
Language = Literal[
    "Arabic (Egypt)", "Bangla (Bangladesh)", "Dutch (Netherlands)", "English (India)", "English (United States)",
    "French (France)", "German (Germany)", "Hindi (India)", "Indonesian (Indonesia)", "Italian (Italy)",
    "Japanese (Japan)", "Korean (South Korea)", "Marathi (India)", "Polish (Poland)", "Portuguese (Brazil)",
    "Romanian (Romania)", "Russian (Russia)", "Spanish (Spain)", "Tamil (India)", "Telugu (India)",
    "Thai (Thailand)", "Turkish (Turkey)", "Ukrainian (Ukraine)", "Vietnamese (Vietnam)",
]  # fmt: skip


class TtsInput(Shape):
    voice: str = Field(
        description="One of the presets, or the address of a voice of your own.", examples=VOICES
    )
    input: str = Field(
        max_length=10_000, description="What to say.", examples=["The boats come in at six."]
    )
    seed: int | None = Field(None, ge=0, examples=[None])
    response_format: Literal["url", "bytes"] = Field("url", description="No difference here.")


class NarratorSpeaker(Shape):
    voice: Speaker = Field("Kore", description="The voice.")
    speaker_id: str = Field(description="The name used in the text.", examples=["Alice"])


class NarratorInput(Shape):
    prompt: str = Field(
        description="What to say; lines may begin with a speaker's name.",
        examples=["Alice: Look, a whale!\nBob: [laughing] That is a rock."],
    )
    style_instructions: str | None = Field(None, description="How to say it.")
    voice: Speaker = "Kore"
    language_code: Language | None = Field(None, description="Left out: detected.")
    speakers: list[NarratorSpeaker] | None = Field(None, max_length=2)
    temperature: float = Field(1, ge=0, le=2)
    output_format: Literal["wav", "mp3", "ogg_opus"] = Field("mp3", description="Always WAV here.")


class Line(Shape):
    text: str = Field(description="What is said.")
    speaker_id: int = Field(description="Who says it.")


class Example(Shape):
    prompt: str = Field(description="What is said in the recording.")
    speaker_id: int
    audio_url: str = Field(description="The recording.")


class ConversationInput(Shape):
    scene: list[Line] = Field(
        description="Who says what.",
        examples=[[{"text": "Hey, is the ferry late?", "speaker_id": 0},
                   {"text": "As always.", "speaker_id": 1}]],
    )  # fmt: skip
    context: list[Example] = Field([], description="Recordings to sound like.")


class ConversationOutput(Shape):
    audio: AudioFile | str = Field(description="The conversation.")


class TranscribeInput(Shape):
    audio_url: str = Field(description="The recording.", examples=[RECORDING])
    task: Literal["transcribe", "translate"] = "transcribe"
    language: (
        Literal["af", "ar", "bg", "bn", "cs", "da", "de", "el", "en", "es", "fi", "fr", "haw", "he", "hi",
                "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "vi", "yue", "zh"]
        | None
    ) = Field(None, description="Left out or null: detected.")  # fmt: skip
    diarize: bool = Field(default=False, description="Tell who speaks.")
    chunk_level: Literal["none", "segment", "word"] = "segment"
    batch_size: int = Field(64, ge=1, le=64)
    prompt: str = Field("", description="Words that help with names.")
    num_speakers: int | None = Field(None, description="Left out: detected.", ge=1)


class Chunk(Shape):
    timestamp: tuple[float, float] = Field(description="Begin and end in seconds.")
    text: str
    speaker: str | None = None


class TranscribeOutput(Shape):
    text: str = Field(description="All of it.")
    chunks: list[Chunk] = Field([], description="With times.")
    inferred_languages: list[str]


async def tts(given: TtsInput, context: Context) -> AudioOutput:
    await context.work(2, 0.8)
    context.units = len(given.input) / 1000
    made = await in_thread(sounds.speech, given.input, given.voice)
    return AudioOutput(audio=keep_sound(made, context))


async def tts_stream(given: TtsInput, context: Context) -> AsyncIterator[AudioOutput]:
    """The first sentence soon, then the whole."""
    for said in dict.fromkeys((given.input.partition(".")[0], given.input)):
        made = await in_thread(sounds.speech, said, given.voice)
        yield AudioOutput(audio=keep_sound(made, context))


async def narrator(given: NarratorInput, context: Context) -> AudioOutput:
    await context.work(3, 1.5)
    context.units = len(given.prompt) / 1000
    made = await in_thread(sounds.speech, given.prompt, given.voice)
    return AudioOutput(audio=keep_sound(made, context))


async def conversation(given: ConversationInput, context: Context) -> ConversationOutput:
    for number, one in enumerate(given.context):
        check_media(one.audio_url, context, "context", number, "audio_url")
    await context.work(len(given.scene[:20]) or 1, 2, "lines")
    said = " ".join(line.text for line in given.scene)
    made = await in_thread(sounds.speech, said, str(len(given.scene)))
    return ConversationOutput(audio=keep_sound(made, context))


async def transcribe(given: TranscribeInput, context: Context) -> TranscribeOutput:
    check_media(given.audio_url, context, "audio_url")
    await context.work(4, 2, "chunks")
    words = text.write(given.audio_url, 24)
    parts = [("".join(words[at : at + 8])).strip() for at in range(0, len(words), 8)]
    chunks = [
        Chunk(timestamp=(2.5 * n, 2.5 * n + 2.4), text=part,
              speaker=f"SPEAKER_{n % (given.num_speakers or 2):02d}" if given.diarize else None)
        for n, part in enumerate(parts)
    ]  # fmt: skip
    return TranscribeOutput(
        text=" ".join(parts), chunks=[] if given.chunk_level == "none" else chunks,
        inferred_languages=[given.language or "en"],
    )  # fmt: skip


ENDPOINTS = [
    Endpoint(
        id="sandbox/voice/tts/v3", title="Voice v3 lookalike", category="text-to-speech",
        description="Reads a text in a preset voice; at /stream the first sentence comes first.",
        input=TtsInput, output=AudioOutput, run=tts, stream=tts_stream,
    ),
    Endpoint(
        id="sandbox/narrator/tts", title="Narrator lookalike", category="text-to-speech",
        description="Reads a text with one or two speakers in many languages.",
        input=NarratorInput, output=AudioOutput, run=narrator, nullable=False,
    ),
    Endpoint(
        id="sandbox/conversation", title="Conversation lookalike", category="text-to-audio",
        description="A conversation of several speakers.",
        input=ConversationInput, output=ConversationOutput, run=conversation, nullable=False,
    ),
    Endpoint(
        id="sandbox/transcribe", title="Transcribe lookalike", category="speech-to-text",
        description="Writes down what is said, with times. The text is made up.",
        input=TranscribeInput, output=TranscribeOutput, run=transcribe,
    ),
]  # fmt: skip
