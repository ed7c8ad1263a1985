"""Pages of people who sign in: their workshops, planning, people."""

from django.urls import path

from .views import (
    editor,
    home,
    log,
    people,
    pictures,
    planning,
    plans,
    prepare,
    programmes,
    questionnaire_desk,
    questions,
    reports,
    safeguarding,
    settings,
    sharing,
)

urlpatterns = [
    path("workshops/", home.home, name="home"),
    path("workshops/<slug:code>/qr.svg", sharing.qr_svg, name="qr-svg"),
    path("workshops/<slug:code>/qr.png", sharing.qr_png, name="qr-png"),
    path("workshops/<slug:code>/run-sheet.pdf", sharing.run_sheet_pdf, name="run-sheet"),
    path("workshops/<slug:code>/joining-sheet/", sharing.joining_sheet, name="joining-sheet"),
    path("workshops/<slug:code>/wall-address/", sharing.wall_address, name="wall-address"),
    path("workshops/<slug:code>/facts/", planning.facts, name="facts"),
    path("workshops/<slug:code>/copy/", planning.copy, name="copy-workshop"),
    path("workshops/<slug:code>/keep-as-plan/", plans.keep, name="keep-as-plan"),
    path("workshops/<slug:code>/remove/", planning.remove, name="remove-workshop"),
    path("workshops/<slug:code>/", prepare.prepare, name="prepare"),
    path("workshops/<slug:code>/open/", prepare.open_doors, name="open-doors"),
    path("workshops/<slug:code>/about-you/", prepare.about_people, name="prepare-about"),
    path("workshops/<slug:code>/add/", prepare.add, name="agenda-add"),
    path("workshops/<slug:code>/found/", prepare.found, name="agenda-found"),
    path("workshops/<slug:code>/steps/<int:pk>/", prepare.change, name="step-change"),
    path("workshops/<slug:code>/items/<int:pk>/picture/", pictures.of_item, name="item-picture"),
    path(
        "programmes/<slug:key>/questions/<slug:slug>/picture/", pictures.of_question, name="question-picture"
    ),
    path(
        "workshops/<slug:code>/questionnaire/turnout/",
        questionnaire_desk.turnout,
        name="questionnaire-turnout",
    ),
    *[
        path(
            f"workshops/<slug:code>/questionnaire/{what}/",
            questionnaire_desk.do,
            {"what": what},
            name=f"questionnaire-{what}",
        )
        for what in questionnaire_desk.GESTURES
    ],
    path("workshops/<slug:code>/results/", reports.results, name="workshop-results"),
    path("workshops/<slug:code>/results.docx", reports.results_file, name="workshop-results-docx"),
    path("workshops/<slug:code>/notes/", reports.notes, name="notes"),
    *[
        path(f"workshops/<slug:code>/notes.{kind}", reports.notes_file, {"kind": kind}, name=f"notes-{kind}")
        for kind in reports.NOTES_FILES
    ],
    path("workshops/<slug:code>/notes/decide/", reports.decide, name="notes-decide"),
    path("workshops/<slug:code>/groups/<int:pk>/transcript/", reports.add_transcript, name="transcript-add"),
    path("workshops/<slug:code>/transcripts/<int:pk>/", reports.transcript, name="transcript"),
    *[
        path(
            f"workshops/<slug:code>/transcripts/<int:pk>.{kind}",
            reports.transcript_file,
            {"kind": kind},
            name=f"transcript-{kind}",
        )
        for kind in reports.TRANSCRIPT_FILES
    ],
    path("programmes/<slug:key>/questions/new/", editor.question_new, name="question-new"),
    path("programmes/<slug:key>/questions/<slug:slug>/", editor.question_edit, name="question-edit"),
    path("programmes/<slug:key>/prompts/<slug:slug>/", editor.prompt_edit, name="prompt-edit"),
    path("workshops/<slug:code>/items/<int:pk>/", editor.item_edit, name="item-edit"),
    *[
        path(f"{where}/preview/{screen}/", view, {"screen": screen}, name=name)
        for screen in ("phone", "wall")
        for where, view, name in (
            ("programmes/<slug:key>/questions/<slug:slug>", editor.question_preview, f"question-{screen}"),
            ("programmes/<slug:key>/prompts/<slug:slug>", editor.prompt_preview, f"prompt-{screen}"),
            ("workshops/<slug:code>/items/<int:pk>", editor.item_preview, f"item-{screen}"),
        )
    ],
    path("programmes/new/", programmes.new, name="programme-new"),
    path("programmes/new/file/", programmes.check, name="programme-file"),
    path("demo/", programmes.demo_again, name="demo"),
    path("programmes/<slug:key>/back/", programmes.bring_back, name="programme-back"),
    path("programmes/<slug:key>/settings/", settings.settings, name="settings"),
    path("programmes/<slug:key>/settings/sheet/", settings.sheet, name="sheet"),
    path("programmes/<slug:key>/settings/programme.toml", settings.programme_file, name="programme-toml"),
    path("programmes/<slug:key>/plan/", planning.plan, name="plan"),
    path("programmes/<slug:key>/questions/", questions.questions, name="questions"),
    path(
        "programmes/<slug:key>/questions/<slug:slug>/remove/",
        questions.remove_question,
        name="question-remove",
    ),
    path("programmes/<slug:key>/prompts/<slug:slug>/remove/", questions.remove_prompt, name="prompt-remove"),
    path("programmes/<slug:key>/plans/", plans.plan_list, name="plans"),
    path("programmes/<slug:key>/plans/<slug:slug>/", plans.edit, name="plan-edit"),
    path("programmes/<slug:key>/plans/<slug:slug>/copy/", plans.copy, name="plan-copy"),
    path("programmes/<slug:key>/plans/<slug:slug>/remove/", plans.remove, name="plan-remove"),
    path("programmes/<slug:key>/plans/<slug:slug>/bring/", plans.bring, name="plan-bring"),
    path("programmes/<slug:key>/log/", log.log, name="log"),
    path("programmes/<slug:key>/log.csv", log.log_file, name="log-csv"),
    path("programmes/<slug:key>/removed/", log.removed, name="removed"),
    path("programmes/<slug:key>/removed/<slug:kind>/<int:pk>/restore/", log.restore, name="restore"),
    path("programmes/<slug:key>/log/<int:pk>/undo/", log.undo, name="undo"),
    path("programmes/<slug:key>/people/", people.people, name="people"),
    path("programmes/<slug:key>/people/lead/", safeguarding.name_lead, name="safeguarding_lead"),
    path("programmes/<slug:key>/safeguarding/", safeguarding.flagged, name="safeguarding"),
    path("programmes/<slug:key>/safeguarding/lead/", safeguarding.answer, name="safeguarding_answer"),
    path("programmes/<slug:key>/safeguarding/release/", safeguarding.release, name="safeguarding_release"),
    path("programmes/<slug:key>/people/<int:pk>/role/", people.change_role, name="change_role"),
    path("programmes/<slug:key>/people/<int:pk>/remove/", people.remove, name="remove_member"),
    path(
        "programmes/<slug:key>/people/invitations/<int:pk>/revoke/", people.revoke, name="revoke_invitation"
    ),
    path("workshops/<slug:code>/invite/", people.guests, name="invite"),
    path("account/", people.account, name="account"),
    path("invitation/<str:secret>/", people.invitation, name="invitation"),
]
