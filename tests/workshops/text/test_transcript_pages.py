"""A transcript comes to its group without names: looked at, kept, read, taken home, removed; and nothing else of it stays."""

from __future__ import annotations

import subprocess
import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from polls.models import Text
from tests.patience import PATIENCE
from workshops.actions import facilitation, groups
from workshops.actions import transcripts as transcript_actions
from workshops.models import Group, Role, Transcript, Workshop
from workshops.text.exports import transcript_vtt
from workshops.text.transcripts import formats, pseudonyms, worker

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db

SPOKEN = """WEBVTT

00:00:01.000 --> 00:00:04.000
<v Anna Smith>I am Anna, and this is our baby room.

00:00:05.000 --> 00:00:09.500
<v Bruno Keller>Thank you Anna. Ring me on 07700 900123 & ask.
"""
NAMES = ("Anna", "Smith", "Bruno", "Keller", "07700")


@pytest.fixture
def group() -> Group:
    workshop = factories.workshop()
    item = factories.prompt_item(workshop)
    factories.participant(workshop)
    factories.participant(workshop)
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)
    return Group.objects.get()


@pytest.fixture
def quickly(monkeypatch):
    """The same work without another process."""

    def here(source, facilitators=()):
        done = pseudonyms.pseudonymise(formats.parse(source), facilitators)
        return [{"start": c.start, "end": c.end, "speaker": c.speaker, "text": c.text} for c in done.cues]

    monkeypatch.setattr(worker, "pseudonymised", here)


def workshop_of(group: Group) -> Workshop:
    return group.round.workshop


def add_url(group: Group) -> str:
    return f"/workshops/{workshop_of(group).code}/groups/{group.pk}/transcript/"


def url_of(transcript: Transcript, ending: str = "/") -> str:
    return f"/workshops/{workshop_of(transcript.group).code}/transcripts/{transcript.pk}{ending}"


def facilitator(group: Group) -> Client:
    return signed_in(staff(workshop_of(group).programme))


def transcript(group: Group, *, kept: bool = True, parts: int = 2, by: User | None = None) -> Transcript:
    cues = [
        {"start": n * 5.0, "end": None, "speaker": f"Speaker {n % 2 + 1}", "text": f"Words {n} & <more>"}
        for n in range(parts)
    ]
    made = transcript_actions.add(group, cues, by)
    if kept:
        transcript_actions.keep(made, None)
    return Transcript.objects.get(pk=made.pk)


def upload(text: str = SPOKEN, name: str = "talk.vtt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def everything_stored() -> str:
    """Every value of every row of every table, as one text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return str(rows)


# --- who may -----------------------------------------------------------------------------------------------


def test_everybody_of_the_programme_handles_transcripts_and_nobody_else(group):
    mine = transcript(group)
    programme = workshop_of(group).programme
    for url in (add_url(group), url_of(mine), url_of(mine, ".vtt"), url_of(mine, ".md")):
        for role in Role:
            assert signed_in(staff(programme, role)).get(url).status_code == 200
        stranger = signed_in(staff(factories.programme(), Role.OWNER))
        assert stranger.get(url).status_code == 404
        assert Client().get(url)["Location"].startswith("/accounts/login/")
    for url, send in ((add_url(group), {"text": SPOKEN}), (url_of(mine), {"do": "remove"})):
        assert stranger.post(url, send).status_code == 404
        assert Client().post(url, send).status_code == 302
    assert list(Transcript.objects.all()) == [mine]


def test_a_transcript_or_group_of_another_workshop_is_not_found_here(group):
    mine = transcript(group)
    own = factories.workshop()
    client = signed_in(staff(own.programme, Role.OWNER))
    for place in (
        f"transcripts/{mine.pk}/",
        f"transcripts/{mine.pk}.vtt",
        f"transcripts/{mine.pk}.md",
        f"groups/{group.pk}/transcript/",
    ):
        assert client.get(f"/workshops/{own.code}/{place}").status_code == 404
    assert client.post(f"/workshops/{own.code}/transcripts/{mine.pk}/", {"do": "remove"}).status_code == 404
    assert Transcript.objects.count() == 1


def test_a_group_that_never_worked_has_nothing_to_add_to(group):
    groups.close_round(workshop_of(group).pk, None)
    groups.make(workshop_of(group).pk, None, "random", groups=1)
    formed = Group.objects.latest("pk")
    assert facilitator(group).get(add_url(formed)).status_code == 404


# --- from a file to its group ------------------------------------------------------------------------------


def test_names_are_gone_before_anything_is_stored(group):
    answer = facilitator(group).post(add_url(group), {"file": upload()})
    mine = Transcript.objects.get()
    assert answer["Location"] == url_of(mine)
    assert mine.parts() == [
        {
            "start": 1.0,
            "end": 4.0,
            "speaker": "Speaker 1",
            "text": "I am Speaker 1, and this is our baby room.",
        },
        {
            "start": 5.0,
            "end": 9.5,
            "speaker": "Speaker 2",
            "text": "Thank you Speaker 1. Ring me on [phone number] & ask.",
        },
    ]
    assert [name for name in NAMES if name in everything_stored()] == []


def test_who_led_the_talk_is_called_facilitator_and_their_name_is_not_kept(group):
    facilitator(group).post(
        add_url(group), {"text": "[00:00:01] Ines Vogel: Hello, Ines here.", "facilitators": "Ines Vogel, "}
    )
    (cue,) = Transcript.objects.get().parts()
    assert (cue["speaker"], cue["text"]) == ("Facilitator", "Hello, Facilitator here.")
    assert "Vogel" not in everything_stored()


@pytest.mark.usefixtures("quickly")
def test_a_new_transcript_is_looked_at_and_then_kept_or_thrown_away(group):
    client = facilitator(group)
    client.post(add_url(group), {"file": upload()})
    mine = Transcript.objects.get()
    page = client.get(url_of(mine)).content.decode()
    assert "Look at it before it is kept" in page
    assert "Speaker 1" in page
    assert client.get(url_of(mine, ".vtt")).status_code == 404
    assert client.post(url_of(mine), {"do": "keep"}).status_code == 302
    mine.refresh_from_db()
    assert mine.kept_at is not None
    assert client.get(url_of(mine, ".vtt")).status_code == 200
    client.post(add_url(group), {"file": upload()})
    thrown = Transcript.objects.get(kept_at__isnull=True)
    client.post(url_of(thrown), {"do": "remove"})
    assert list(Transcript.objects.all()) == [mine]
    assert Text.objects.count() == len(mine.parts())


@pytest.mark.usefixtures("quickly")
def test_parts_without_a_speaker_are_counted_and_marked_until_it_is_kept(group):
    client = facilitator(group)
    client.post(add_url(group), {"text": "[0:01] Anna: hi\n[0:02] and so on\n[0:03] zofka came in too"})
    mine = Transcript.objects.get()
    page = client.get(url_of(mine)).content.decode()
    assert "2 of 3 parts have no speaker we could recognise. Read them before you keep this:" in page
    assert page.count("No speaker recognised") == 2
    client.post(url_of(mine), {"do": "keep"})
    kept = client.get(url_of(mine)).content.decode()
    assert "No speaker recognised" not in kept
    assert "we could recognise" not in kept


@pytest.mark.usefixtures("quickly")
def test_a_preview_where_everybody_is_recognised_says_nothing_of_others(group):
    client = facilitator(group)
    client.post(add_url(group), {"file": upload()})
    assert "recognise" not in client.get(url_of(Transcript.objects.get())).content.decode()


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    "said", ["zofka: hi\n- zofka: ZOFKA", "Zofka's iPhone: ZOFKA", "zofka.kowal: zofka", "[Zofka] zofka"]
)
def test_a_name_in_an_unusual_label_is_never_stored(group, said):
    times = "1\n00:00:01,000 --> 00:00:02,000\n{}\n\n2\n00:00:03,000 --> 00:00:04,000\nThank you zofka"
    facilitator(group).post(add_url(group), {"file": upload(times.format(said), "talk.srt")})
    assert Transcript.objects.get().parts()[-1]["text"] == "Thank you Speaker 1"
    assert "zofka" not in everything_stored().lower()


@pytest.mark.usefixtures("quickly")
def test_pasted_words_come_as_a_field_or_as_what_a_script_makes_of_it(group):
    client = facilitator(group)
    for send in ({"text": SPOKEN}, {"pasted": upload(name="pasted.txt")}):
        assert client.post(add_url(group), send).status_code == 302
    first, second = (made.parts() for made in Transcript.objects.all())
    assert first == second


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    ("send", "words"),
    [
        (lambda: {}, "Choose a file, or paste the words below."),
        (lambda: {"text": "  \n "}, "Choose a file, or paste the words below."),
        (lambda: {"file": upload(), "text": "words"}, "Choose a file or paste the words, not both."),
        (lambda: {"file": upload("")}, "This file is empty."),
        (lambda: {"text": "no times here"}, "There is nothing with a time in this file."),
        (lambda: {"pasted": upload("no times here")}, "There is nothing with a time in this file."),
        (lambda: {"text": "[00:00:01] A: x", "facilitators": "x" * 501}, "up to 500 fit here"),
        (lambda: {"file": upload("WEBVTT\n\nnonsense\n")}, "Line 3:"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence_and_what_was_typed_stays(group, send, words):
    sent = send()
    answer = facilitator(group).post(add_url(group), sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    if "times" in str(sent.get("text", "")):
        assert "no times here</textarea>" in page
    assert not Transcript.objects.exists()


@pytest.mark.parametrize("size", [worker.SIZE_LIMIT + 1, 3 * 1024 * 1024], ids=["read", "not read"])
def test_a_file_that_is_too_large_is_refused_and_never_on_a_disk(group, size, monkeypatch):
    written = []
    monkeypatch.setattr("django.core.files.uploadedfile.TemporaryUploadedFile.__init__", written.append)
    answer = facilitator(group).post(add_url(group), {"file": upload("x" * size)})
    assert answer.status_code == 422
    assert "The file is larger than 1 MB." in answer.content.decode()
    assert written == []


@pytest.mark.usefixtures("quickly")
def test_a_group_has_ten_transcripts_at_most(group):
    for _ in range(transcript_actions.MOST):
        transcript(group)
    answer = facilitator(group).post(add_url(group), {"file": upload()})
    assert answer.status_code == 422
    assert "10 transcripts already" in answer.content.decode()


@pytest.mark.usefixtures("quickly")
def test_what_nobody_kept_goes_after_a_day(group):
    forgotten, waiting, kept = transcript(group, kept=False), transcript(group, kept=False), transcript(group)
    long_ago = timezone.now() - transcript_actions.WAITS - timedelta(minutes=1)
    Transcript.objects.filter(pk__in=[forgotten.pk, kept.pk]).update(added_at=long_ago)
    facilitator(group).get(f"/workshops/{workshop_of(group).code}/notes/")
    assert set(Transcript.objects.all()) == {waiting, kept}


def test_keeping_and_removing_are_logged_with_who(group):
    user = staff(workshop_of(group).programme, Role.RESEARCHER)
    mine, client = transcript(group, kept=False, by=user), signed_in(user)
    for verb in ("keep", "keep", "remove"):
        assert client.post(url_of(mine), {"do": verb}).status_code == 302
    name = f"{mine.pk}, {group.name}"
    assert in_the_log(group) == [
        ("added_transcript", user.pk, name),
        ("kept_transcript", user.pk, name),
        ("removed_transcript", user.pk, name),
    ]
    assert not Transcript.objects.exists()


def in_the_log(group: Group) -> list[tuple[str, int | None, str]]:
    found = workshop_of(group).log.filter(verb__contains="transcript").order_by("pk")
    return list(found.values_list("verb", "by", "about"))


def test_what_is_thrown_away_before_it_is_kept_is_logged_too(group):
    user = staff(workshop_of(group).programme)
    mine = transcript(group, kept=False, by=user)
    signed_in(user).post(url_of(mine), {"do": "remove"})
    assert [verb for verb, _by, _about in in_the_log(group)] == ["added_transcript", "removed_transcript"]


def test_nobody_but_who_added_it_learns_of_a_transcript_that_waits(group):
    programme = workshop_of(group).programme
    user = staff(programme)
    mine = transcript(group, kept=False, by=user)
    notes_page = f"/workshops/{workshop_of(group).code}/notes/"
    for role in Role:
        other = signed_in(staff(programme, role))
        assert other.get(url_of(mine)).status_code == 404
        for verb in ("keep", "remove"):
            assert other.post(url_of(mine), {"do": verb}).status_code == 404
        assert "Not kept yet" not in other.get(notes_page).content.decode()
    assert Transcript.objects.get().kept_at is None
    own = signed_in(user)
    assert "Not kept yet" in own.get(notes_page).content.decode()
    assert own.get(url_of(mine)).status_code == 200
    own.post(url_of(mine), {"do": "keep"})
    assert other.get(url_of(mine)).status_code == 200


def test_what_waits_and_nobody_is_known_to_have_added_is_there_for_nobody(group):
    mine = transcript(group, kept=False)
    assert facilitator(group).get(url_of(mine)).status_code == 404


def test_reading_a_transcript_is_logged_once_for_all_its_pages_and_each_file_by_itself(group):
    user = staff(workshop_of(group).programme, Role.RESEARCHER)
    mine, other, client = transcript(group), transcript(group), signed_in(user)
    for url in (url_of(mine), f"{url_of(mine)}?page=2", url_of(other), url_of(mine)):
        client.get(url)
    for ending in (".vtt", ".md", ".md"):
        client.get(url_of(mine, ending))
    read = workshop_of(group).log.filter(by=user).order_by("pk")
    file = f"{workshop_of(group).programme.key}-workshop-{workshop_of(group).number}-round-1-group-1"
    assert list(read.values_list("verb", "about")) == [
        ("read_transcript", f"{mine.pk}, {group.name}"),
        ("read_transcript", f"{other.pk}, {group.name}"),
        ("exported", f"{file}.vtt"),
        ("exported", f"{file}.md"),
        ("exported", f"{file}.md"),
    ]


def test_an_unknown_wish_is_not_found(group):
    assert facilitator(group).post(url_of(transcript(group)), {"do": "publish"}).status_code == 404


# --- reading and files -------------------------------------------------------------------------------------


def test_a_long_transcript_is_read_page_by_page(group):
    mine, client = transcript(group, parts=501), facilitator(group)
    first = client.get(url_of(mine)).content.decode()
    assert "Words 499 &amp; &lt;more&gt;" in first
    assert "Words 500 " not in first
    assert "Page 1 of 2" in first
    last = client.get(url_of(mine) + "?page=2").content.decode()
    assert ("0:41:40" in last, "Words 500 " in last) == (True, True)


def test_the_file_is_webvtt_that_reads_as_the_same_transcript(group):
    mine = transcript(group)
    answer = facilitator(group).get(url_of(mine, ".vtt"))
    assert answer["Content-Type"] == "text/vtt; charset=utf-8"
    read = formats.parse(answer.content).cues
    assert [(cue.start, cue.speaker, cue.text) for cue in read] == [
        (cue["start"], cue["speaker"], cue["text"]) for cue in mine.parts()
    ]
    assert [cue.end for cue in read] == [5.0, 10.0]


def test_a_part_always_ends_after_it_begins():
    cues = [
        {"start": 3.0, "end": 3.0, "speaker": "", "text": "a"},
        {"start": 3.0, "end": None, "speaker": "", "text": "b"},
    ]
    read = formats.parse(transcript_vtt.write(cues)).cues
    assert [cue.end > cue.start for cue in read] == [True, True]


def test_the_markdown_has_times_speakers_and_words_that_stay_words(group):
    text = facilitator(group).get(url_of(transcript(group), ".md")).content.decode()
    assert text.startswith(f"# Transcript: {group.name}\n")
    assert "\n**0:00:05 Speaker 2:** Words 1 \\& \\<more\\>\n" in text


# --- the process that takes names out ----------------------------------------------------------------------


def test_one_transcript_is_read_at_a_time(group):
    assert worker._one_at_a_time.acquire(blocking=False)
    try:
        answer = facilitator(group).post(add_url(group), {"text": SPOKEN})
    finally:
        worker._one_at_a_time.release()
    assert answer.status_code == 422
    assert "Another transcript is being read just now." in answer.content.decode()


def test_who_waits_for_a_transcript_leaves_python_to_others(monkeypatch):
    """The work is done by another process: while it lasts, this one's other threads go on."""
    began, go_on = threading.Event(), threading.Event()

    def run(*_args, **_named):
        began.set()
        assert go_on.wait(PATIENCE)
        return subprocess.CompletedProcess([], 0, stdout=b'{"cues": []}')

    monkeypatch.setattr(worker.subprocess, "run", run)
    thread = threading.Thread(target=worker.pseudonymised, args=[b"x"])
    thread.start()
    assert began.wait(PATIENCE)
    with pytest.raises(worker.TranscriptWorkerBusy):
        worker.pseudonymised(b"x")
    go_on.set()
    thread.join(PATIENCE)
    assert worker.pseudonymised(b"x") == []


def test_work_that_takes_too_long_is_stopped_and_the_next_may_begin(monkeypatch):
    monkeypatch.setattr(worker, "SECONDS", 0.01)
    for _ in range(2):
        with pytest.raises(worker.TranscriptWorkerBusy, match="too long"):
            worker.pseudonymised(SPOKEN.encode())


def test_a_process_that_fails_repeats_nothing_of_the_file(monkeypatch):
    failed = subprocess.CompletedProcess([], 1, stdout=b"", stderr=b"Anna Smith")
    monkeypatch.setattr(worker.subprocess, "run", lambda *_a, **_k: failed)
    with pytest.raises(RuntimeError) as error:
        worker.pseudonymised(SPOKEN.encode())
    assert "Anna" not in str(error.value)


def test_names_of_facilitators_are_no_arguments(monkeypatch):
    seen = {}

    def run(command, **named):
        seen["command"] = command
        return subprocess.CompletedProcess(command, 0, stdout=b'{"cues": []}')

    monkeypatch.setattr(worker.subprocess, "run", run)
    worker.pseudonymised(b"x", ["Ines Vogel"])
    assert "Vogel" not in str(seen["command"])


def test_the_command_prints_a_transcript_without_names(tmp_path: Path):
    file, out = tmp_path / "talk.vtt", StringIO()
    file.write_text(SPOKEN)
    call_command("pseudonymise", file, facilitator=["Bruno Keller"], stdout=out)
    assert "<v Facilitator>Thank you Speaker 1." in out.getvalue()
    assert [name for name in NAMES if name in out.getvalue()] == []


def test_the_command_says_what_is_wrong_in_one_sentence(tmp_path: Path):
    file = tmp_path / "talk.txt"
    with pytest.raises(CommandError, match="Cannot read"):
        call_command("pseudonymise", file)
    file.write_text("no times")
    with pytest.raises(CommandError, match="nothing with a time"):
        call_command("pseudonymise", file)
