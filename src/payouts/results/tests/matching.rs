use proptest::prelude::*;

use super::money;
use crate::payout_details::{Details, PaypalRecipient, WiseAccount, WiseNumber, WiseRecipient};
use crate::payouts::results::{
    Change, Judged, Line, Outcome, Report, Reported, State, Verdict, Whole, judge, recipients,
};

fn line(id: &'static str, recipient: &'static str, minor: i64, state: State) -> Line<'static> {
    Line { id, batch: "refdesk-12", recipients: vec![recipient], amount: money(minor, "EUR"), state }
}

fn lines() -> Vec<Line<'static>> {
    vec![
        line("pl_1", "jane@x.example", 2_000, State::Waiting),
        line("pl_2", "Zoë Müller", 1_120, State::Waiting),
        line("pl_3", "bo@x.example", 500, State::Waiting),
        line("pl_4", "bo@x.example", 500, State::Waiting),
        line("pl_5", "li@x.example", 700, State::Paid),
        line("pl_6", "lu@x.example", 800, State::Failed),
        line("pl_7", "le@x.example", 900, State::Returned),
    ]
}

fn row(at: u64, line: &str, recipient: &str, minor: i64, outcome: Outcome) -> Reported {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Reported {
        at,
        line: text(line),
        batch: None,
        recipient: text(recipient),
        amount: (minor > 0).then(|| money(minor, "EUR")),
        outcome,
        reference: format!("T{at}"),
    }
}

fn failed() -> Outcome {
    Outcome::Failed("AC04".to_owned())
}

/// The verdict on the only row, with its sentence.
fn one(row: Reported) -> (Verdict, Option<usize>, String) {
    let judged = judge(&Report { rows: vec![row], ..Report::default() }, &lines());
    assert_eq!(judged.len(), 1);
    assert_eq!(judged[0].change.is_some(), judged[0].verdict == Verdict::Matched);
    (judged[0].verdict, judged[0].line, judged[0].sentence.clone())
}

fn said(verdict: Verdict, line: Option<usize>, sentence: &str) -> (Verdict, Option<usize>, String) {
    (verdict, line, sentence.to_owned())
}

#[test]
fn a_row_finds_its_line() {
    use Outcome::Paid;
    let paid = said(Verdict::Matched, Some(0), "Line pl_1 is paid.");
    for id in ["pl_1", "PL-1", " pl-1 ", "pl-1 Acme referral", "Ref: pl-1, Acme", "pl_1 pl-1"] {
        assert_eq!(one(row(2, id, "", 0, Paid)), paid, "{id}");
    }
    assert_eq!(one(row(2, "payout", "JANE@x.example ", 2_000, Paid)), paid);
    assert_eq!(
        one(row(2, "", "zoe muller", 1_120, failed())),
        said(Verdict::Matched, Some(1), "Line pl_2 failed: AC04.")
    );
    let two = "2 lines pay bo@x.example 5.00 EUR: the row does not say which.";
    assert_eq!(one(row(2, "", "bo@x.example", 500, Paid)), said(Verdict::Unmatched, None, two));
    let other = "No line pays bo@x.example 5.01 EUR.";
    assert_eq!(one(row(2, "", "bo@x.example", 501, Paid)), said(Verdict::Unmatched, None, other));
    assert_eq!(one(row(2, "", "x@x.example", 1, Paid)), said(Verdict::Unmatched, None, "No line pays x@x.example."));
    let nothing = "The row has no id of ours, and not both recipient and amount.";
    assert_eq!(one(row(2, "", "jane@x.example", 0, Paid)), said(Verdict::Unmatched, None, nothing));
    assert_eq!(one(row(2, "pl_1 pl_2", "", 0, Paid)), said(Verdict::Unmatched, None, "The row names several lines."));
}

#[test]
fn a_line_is_known_by_its_address_name_and_account() {
    let email = Details::Paypal(PaypalRecipient::Email("jane@x.example".to_owned()));
    assert_eq!(recipients(&email), ["jane@x.example"]);
    let (name, email) = ("Jane Ng".to_owned(), Some("jane@x.example".to_owned()));
    let number = WiseNumber::Iban { iban: "DE89370400440532013000".to_owned() };
    let account = WiseAccount { name, email, currency: "EUR".to_owned(), number };
    let account = Details::Wise(WiseRecipient::Account(account));
    assert_eq!(recipients(&account), ["Jane Ng", "DE89370400440532013000", "jane@x.example"]);
    let lines = [Line { recipients: recipients(&account), ..line("pl_1", "", 500, State::Waiting) }];
    // A bank writes the number in groups.
    let rows = vec![row(2, "", "de89 3704 0044 0532 0130 00", 500, Outcome::Paid)];
    assert_eq!(judge(&Report { rows, ..Report::default() }, &lines)[0].line, Some(0));
}

#[test]
fn a_row_of_another_payout_is_refused() {
    let other = said(Verdict::Refused, None, "Line pl_99 is none of this payout.");
    assert_eq!(one(row(2, "pl-99", "jane@x.example", 2_000, Outcome::Paid)), other);
    let batch = Reported { batch: Some("refdesk-13".to_owned()), ..row(2, "pl-1", "", 0, Outcome::Paid) };
    let sentence = "This is an answer to the file refdesk-13, which is none of this payout.";
    assert_eq!(one(batch), said(Verdict::Refused, None, sentence));
    let own = Reported { batch: Some("REFDESK-12".to_owned()), ..row(2, "pl-1", "", 0, Outcome::Paid) };
    assert_eq!(one(own).0, Verdict::Matched);
}

#[test]
fn an_amount_that_differs_changes_nothing() {
    let differs = said(Verdict::Differs, Some(0), "The row says 25.00 EUR, and line pl_1 is 20.00 EUR.");
    assert_eq!(one(row(2, "pl_1", "", 2_500, Outcome::Paid)), differs);
    assert_eq!(one(row(2, "", "jane@x.example", 2_500, Outcome::Paid)), differs);
    let dollars = Reported { amount: Some(money(2_000, "USD")), ..row(2, "pl_1", "", 0, Outcome::Paid) };
    assert_eq!(one(dollars).0, Verdict::Differs);
}

#[test]
fn what_follows_depends_on_the_state() {
    use Outcome::{Paid, Pending, Returned};
    let returned = || Returned("closed.".to_owned());
    let cases = [
        ("pl_1", returned(), Verdict::Matched, "Line pl_1 failed: closed."),
        ("pl_1", Pending, Verdict::Pending, "Nothing is decided yet about line pl_1."),
        ("pl_5", Paid, Verdict::AlreadySo, "Line pl_5 is paid already."),
        ("pl_5", returned(), Verdict::Matched, "Line pl_5 came back: closed."),
        ("pl_5", failed(), Verdict::Matched, "Line pl_5 came back: AC04."),
        ("pl_6", failed(), Verdict::AlreadySo, "Line pl_6 is failed already."),
        ("pl_6", returned(), Verdict::AlreadySo, "Line pl_6 is failed already."),
        (
            "pl_6",
            Paid,
            Verdict::Refused,
            "Line pl_6 failed before and its amount is due again: the row that says it is paid needs a look.",
        ),
        ("pl_7", Paid, Verdict::AlreadySo, "Line pl_7 is returned already."),
        ("pl_7", returned(), Verdict::AlreadySo, "Line pl_7 is returned already."),
    ];
    for (id, outcome, verdict, sentence) in cases {
        let (is, _, says) = one(row(2, id, "", 0, outcome));
        assert_eq!((is, says.as_str()), (verdict, sentence));
    }
}

#[test]
fn rows_about_one_line_cancel_each_other() {
    let rows = vec![
        row(2, "pl_1", "", 0, Outcome::Paid),
        row(3, "", "jane@x.example", 2_000, failed()),
        row(4, "pl_2", "", 0, Outcome::Pending),
        row(5, "pl_2", "", 0, Outcome::Paid),
    ];
    let judged = judge(&Report { rows, ..Report::default() }, &lines());
    let verdicts: Vec<Verdict> = judged.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Verdict::Doubled, Verdict::Doubled, Verdict::Pending, Verdict::Matched]);
    assert_eq!(judged[1].sentence, "Several rows are about line pl_1: 2, 3. None of them counts.");
}

#[test]
fn a_status_of_the_file_is_for_its_lines_that_no_row_names() {
    let whole = |batch: &str, outcome| Some(Whole { batch: batch.to_owned(), outcome });
    let mut lines = lines();
    lines[2].batch = "refdesk-12-2";
    let rows = vec![row(9, "pl-1", "", 0, Outcome::Paid)];
    let report = Report { rows, whole: whole("refdesk-12", failed()), unread: Vec::new() };
    let judged = judge(&report, &lines);
    let found: Vec<(Option<usize>, Verdict)> = judged.iter().map(|one| (one.line, one.verdict)).collect();
    let (yes, so) = (Verdict::Matched, Verdict::AlreadySo);
    assert_eq!(found, [(Some(0), yes), (Some(1), yes), (Some(3), yes), (Some(4), yes), (Some(5), so), (Some(6), so)]);
    assert_eq!(judged[3].change, Some(Change::Returned("AC04".to_owned())));
    for (batch, outcome, verdict) in
        [("refdesk-13", failed(), Verdict::Refused), ("refdesk-12", Outcome::Pending, Verdict::Pending)]
    {
        let judged = judge(&Report { whole: whole(batch, outcome), ..Report::default() }, &lines);
        assert_eq!((judged.len(), judged[0].verdict), (1, verdict));
    }
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Paid), Just(failed()), Just(Outcome::Returned(String::new())), Just(Outcome::Pending)]
}

const IDS: [&str; 10] = ["pl_1", "pl-2", "pl_3", "PL_4", "pl_5", "pl_6", "pl_7", "pl_8", "", "x"];
const RECIPIENTS: [&str; 6] = ["jane@x.example", "zoe muller", "bo@x.example", "li@x.example", "no@x.example", ""];
const AMOUNTS: [i64; 6] = [2_000, 1_120, 500, 700, 1, 0];

prop_compose! {
    fn rows()(
        picks in prop::collection::vec((0..10_usize, 0..6_usize, 0..6_usize, outcomes()), 0..14),
    ) -> Vec<Reported> {
        (1..).zip(picks).map(|(at, (id, to, amount, outcome))| {
            row(at, IDS[id], RECIPIENTS[to], AMOUNTS[amount], outcome)
        }).collect()
    }
}

/// The lines after a result.
fn after(lines: &[Line<'static>], judged: &[Judged]) -> Vec<Line<'static>> {
    let mut lines = lines.to_vec();
    for one in judged {
        let Some(change) = &one.change else { continue };
        lines[one.line.unwrap()].state = match change {
            Change::Paid => State::Paid,
            Change::Failed(_) => State::Failed,
            Change::Returned(_) => State::Returned,
        };
    }
    lines
}

proptest! {
    #[test]
    fn no_line_is_changed_twice_and_no_row_changes_two(
        rows in rows(), all in prop::option::of(outcomes()), seed in any::<u64>(),
    ) {
        let lines = lines();
        let whole = all.map(|outcome| Whole { batch: "refdesk-12".to_owned(), outcome });
        let mut report = Report { rows, unread: Vec::new(), whole };
        let judged = judge(&report, &lines);
        let mut changed: Vec<usize> = judged.iter().filter(|one| one.change.is_some()).map(|one| one.line.unwrap()).collect();
        changed.sort_unstable();
        let count = changed.len();
        changed.dedup();
        prop_assert_eq!(changed.len(), count);
        for row in &report.rows {
            prop_assert_eq!(judged.iter().filter(|one| one.at == row.at).count(), 1);
        }
        prop_assert!(judged.iter().all(|one| !one.sentence.is_empty()));
        prop_assert!(judged.iter().all(|one| one.change.is_some() == (one.verdict == Verdict::Matched)));

        // The order of the rows means nothing.
        report.rows.sort_by_key(|row| (row.at ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut shuffled = judge(&report, &lines);
        shuffled.sort_by_key(|one| (one.at, one.line));
        let mut straight = judged.clone();
        straight.sort_by_key(|one| (one.at, one.line));
        prop_assert_eq!(shuffled, straight);

        // The same file again changes nothing more.
        let again = judge(&report, &after(&lines, &judged));
        prop_assert!(again.iter().all(|one| one.change.is_none()), "{again:?}");
        for one in &judged {
            if one.verdict == Verdict::Matched {
                let same = again.iter().find(|next| next.at == one.at && next.line == one.line).unwrap();
                prop_assert_eq!(same.verdict, Verdict::AlreadySo);
            }
        }
    }
}
