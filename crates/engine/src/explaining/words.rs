//! The rules by code: in words, and what would release them.

/// A rule.
pub(super) struct Rule {
    pub(super) words: &'static str,
    pub(super) release: &'static str,
}

pub(super) const NOTHING: &str = "nothing has to be released";
const SOURCE: &str = "mend it in the source; the next read finds it";
const MOVES: &str = "it is looked at again when the source says something else, or when somebody decides with `muster decide`";

pub(super) const LEFT: &str = "somebody decided that the record is left alone";
pub(super) const SKIPPED: &str =
    "somebody decided that this pair of values stays as it is on both sides";
pub(super) const SET_ASIDE: &str = "an undo set aside what the source says";
pub(super) const REFUSED: &str = "somebody refused what was held";

/// The rules that an answer can name.
const RULES: &[(&str, Rule)] = &[
    rule("compare.same", "both sides say the same", NOTHING),
    rule(
        "compare.theirs_changed",
        "the source owns the field and said something else",
        NOTHING,
    ),
    rule(
        "compare.silent",
        "the source does not speak of the field",
        NOTHING,
    ),
    rule(
        "compare.kept",
        "the source says that there is no value; ours is kept by the rule for emptied fields",
        "another rule for emptied fields, or a value in the source",
    ),
    rule(
        "compare.conflict",
        "both sides say something else: a person decides",
        "`muster decide` with theirs, ours or skip",
    ),
    rule("compare.decided", "left as it is, as decided", MOVES),
    rule("decided.skip", SKIPPED, MOVES),
    rule(
        "decided.theirs",
        "somebody decided that the source is right",
        NOTHING,
    ),
    rule(
        "decided.ours",
        "somebody decided that our value is right",
        NOTHING,
    ),
    rule("hold.refused", REFUSED, MOVES),
    rule(
        "compare.differs",
        "the two differ: other records of the person count too, and the rules of this record say what of it does",
        "see the rules of the record",
    ),
    rule(
        "manager.resolved",
        "who is meant is looked for among everybody; the manager found stands above",
        NOTHING,
    ),
    rule(
        "field.created",
        "the value came with the person, who was made from this record",
        NOTHING,
    ),
    rule(
        "field.given",
        "the source owns the field and gave the value",
        NOTHING,
    ),
    rule(
        "match.decided",
        "somebody decided who the record is",
        NOTHING,
    ),
    rule(
        "compare.frozen",
        "the field went back and forth three times in a day",
        "a day without a move, or `muster decide`",
    ),
    rule(
        "compare.waits",
        "the source says something else than we hold; the next read plans it",
        "the next read",
    ),
    rule(
        "decide.declined",
        "taken back by an undo; not planned again while the source says the same",
        MOVES,
    ),
    rule(
        "decide.policy_reports",
        "the policy only reports a leaving",
        "another reaction in the policy",
    ),
    rule(
        "decide.protected",
        "the person is protected, the owner or the last administrator",
        "end the protection first",
    ),
    rule("decide.ended", "every engagement is over", NOTHING),
    rule(
        "decide.gone",
        "missing from a full read",
        "the record comes back, or the silence is confirmed",
    ),
    rule(
        "decide.gone_before",
        "missing from the source, and dealt with before",
        "the record comes back",
    ),
    rule(
        "decide.returned",
        "the record is there, and employment runs",
        NOTHING,
    ),
    rule("decide.removed", "the source deleted the record", NOTHING),
    rule(
        "decide.out_of_scope",
        "the policy no longer covers the record",
        SOURCE,
    ),
    rule("decide.employment", "employment changed", NOTHING),
    rule(
        "field.unreadable",
        "the value cannot be read and counts as absent",
        SOURCE,
    ),
    rule(
        "flow.off",
        "the policy neither reads nor writes the field",
        "another flow in the policy",
    ),
    rule(
        "flow.key_only",
        "the field is for matching alone",
        "another flow in the policy",
    ),
    rule(
        "flow.out",
        "we own the field, and the source is written",
        "another flow in the policy",
    ),
    rule(
        "owner.other",
        "another connection comes first in the order of sources and says the field",
        "that connection stops saying it, or another order of sources",
    ),
    rule("match.new", "no key names anybody", NOTHING),
    rule("match.by", "a key names one person", NOTHING),
    rule(
        "match.key_on_two_records",
        "two records hold the same key: never guessed",
        "`muster decide` with link:PERSON or create, or another key in the source",
    ),
    rule(
        "match.key_names_several",
        "the key names several people: never guessed",
        "`muster decide` with link:PERSON or create",
    ),
    rule(
        "match.keys_disagree",
        "the keys name different people: never guessed",
        "`muster decide` with link:PERSON or create",
    ),
    rule(
        "match.key_contradicted",
        "a key names somebody, and birth date, national id or both names contradict it",
        "`muster decide` with link:PERSON or create, or the right key in the source",
    ),
    rule(
        "match.person_on_two_records",
        "two records name the same person",
        "`muster decide` with link:PERSON or leave",
    ),
    rule(
        "match.key_changed_hands",
        "the key was somebody else's within 400 days",
        "`muster decide` with link:PERSON or create",
    ),
    rule(
        "match.returner_on_one_key",
        "one key alone brings nobody back",
        "`muster decide` with link:PERSON or create",
    ),
    rule(
        "match.taken",
        "the key belongs to somebody who is linked here already",
        "`muster decide` with link:PERSON or create",
    ),
    rule(
        "match.ended_before_known",
        "left before anybody knew them",
        "the source says that employment runs",
    ),
    rule(
        "match.removed_before_known",
        "deleted before anybody knew it",
        "the source has it again",
    ),
    rule("match.unlinked", "taken apart by hand", MOVES),
    rule(
        "match.not_in_source",
        "not in the last read, and linked to nobody",
        "the source has it again",
    ),
    rule(
        "scope.lacks",
        "the policy does not cover a record without this field",
        SOURCE,
    ),
    rule(
        "scope.left",
        "the policy no longer covers the record; dealt with before",
        SOURCE,
    ),
    rule(
        "scope.required_field",
        "a required field is missing or cannot be read",
        SOURCE,
    ),
    rule(
        "trust.older_record",
        "an older revision than the one known",
        "a newer revision, or `muster decide`",
    ),
    rule("undo.reverted", "an undo took a run back", MOVES),
    rule(
        "run.no_row",
        "the run had no row about this record: it was at rest, or not read",
        NOTHING,
    ),
    rule("ours", "no source gave the value", NOTHING),
];

const fn rule(
    code: &'static str,
    words: &'static str,
    release: &'static str,
) -> (&'static str, Rule) {
    (code, Rule { words, release })
}

/// The rule of a code; one that is not listed speaks for itself.
pub(super) fn of(code: &str) -> Rule {
    RULES.iter().find(|(known, _)| *known == code).map_or(
        Rule {
            words: "",
            release: "the next read decides",
        },
        |(_, rule)| Rule {
            words: rule.words,
            release: rule.release,
        },
    )
}
