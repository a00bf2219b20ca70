//! One payout: how far it is, who is in it, who is left out and why.

use askama::Template;
use axum::extract::{OriginalUri, Path};

use crate::engine::state::{LineState, PayoutState};
use crate::id::{self, Kind};
use crate::money::Money;
use crate::payout_details::Method;
use crate::payouts::files::{Format, is_one_file};
use crate::payouts::{self, Approval, LineFilter, LineRow, PayoutRow};
use crate::query::pairs;
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::{Fault, Form, PageResult, Tab, html};
use crate::when::When;

/// Lines of a page.
const PAGE: usize = 100;

#[derive(Template)]
#[template(path = "payouts/show.html")]
struct ShowPage {
    frame: Frame,
    form: Form,
    p: PayoutRow,
    amount: String,
    method: &'static str,
    steps: Vec<&'static str>,
    current: usize,
    created: When,
    locked: Option<When>,
    approved: Option<When>,
    closed: Option<When>,
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    next: Option<String>,
    /// True where lines of this view can still be settled.
    settles: bool,
    chooses: bool,
    returns: bool,
    can: Can,
    /// Totals by state, ready to read.
    sums: Vec<(String, String)>,
    progress: Option<(i64, i64, String, String)>,
    out_only: bool,
    /// The number of those left out, where nobody is in.
    all_out: Option<String>,
    /// The files it is paid by: address and label.
    files: Vec<(String, String)>,
    /// True where they can be downloaded.
    downloads: bool,
    /// The file is the next step: nobody has taken it, and the lines are not paid without it.
    file_first: bool,
    /// The method's own file, where nobody has set it up.
    unmade: Option<Format>,
}

/// The buttons that are offered.
#[derive(Default)]
struct Can {
    lock: bool,
    refresh: bool,
    drop: bool,
    unlock: bool,
    approve: bool,
    pay: bool,
    close: bool,
    /// A second person has to approve first.
    waits: bool,
    /// A report of the provider or the bank can be read.
    reads: bool,
}

struct Line {
    l: LineRow,
    id: String,
    amount: String,
    why: String,
    changed: Option<When>,
    since: Option<When>,
    /// The end of the last payment to them, where it failed or came back.
    failed: Option<Failed>,
}

struct Failed {
    words: &'static str,
    day: Option<When>,
    reason: String,
}

impl Line {
    fn of(l: LineRow, page: &Page) -> Self {
        Self {
            id: id::render(Kind::PayoutLine, l.id),
            amount: l.money().shown(),
            why: why(&l),
            changed: l.details_changed_at.map(|at| page.when(at)),
            since: l.since.as_deref().map(|day| When::on_text(page.today(), day)),
            failed: l.failed_state.map(|state| Failed {
                words: if state == LineState::Returned { "Last payment came back" } else { "Last payment failed" },
                day: l.failed_day.as_deref().map(|day| When::on_text(page.today(), day)),
                reason: l.failed_reason.clone().unwrap_or_default(),
            }),
            l,
        }
    }
}

/// Why a referrer is left out, as a sentence.
fn why(l: &LineRow) -> String {
    let Some(reason) = l.out_reason else { return l.reason.clone().unwrap_or_default() };
    let minimum = l.minimum.map(|minor| Money { minor, currency: l.currency });
    reason.sentence(minimum, l.reason.as_deref())
}

/// The files of a payout: address and label. Where there may be several, the address is of the page that lists them.
fn files(p: &PayoutRow, formats: &[(Format, bool)], ready: bool) -> Vec<(String, String)> {
    let of = |&(format, _): &(Format, bool)| {
        let page = if ready && is_one_file(format, p.lines) { "file" } else { "files" };
        (format!("/payouts/{}/{page}?format={format}", p.id), format.title().to_owned())
    };
    let set_up = formats.iter().filter(|(_, is_set_up)| *is_set_up);
    set_up.filter(|(format, _)| ready || *format == p.format).map(of).collect()
}

/// True for a payout whose files can be made.
pub(super) fn is_ready(p: &PayoutRow, approval: Approval) -> bool {
    match p.state {
        PayoutState::Approved | PayoutState::Closed => true,
        PayoutState::Locked => approval == Approval::None,
        _ => false,
    }
}

/// The payout, if it is the business's.
pub(super) async fn find(page: &Page, id: i64) -> Result<PayoutRow, Fault> {
    payouts::find(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)
}

/// The views of the lines: word, label, the states in it.
const VIEWS: [(&str, &str, LineFilter); 6] = [
    ("", "In this payout", LineFilter::In),
    ("locked", "To be paid", LineFilter::State(LineState::Locked)),
    ("paid", "Paid", LineFilter::State(LineState::Paid)),
    ("failed", "Failed", LineFilter::State(LineState::Failed)),
    ("returned", "Returned", LineFilter::State(LineState::Returned)),
    ("out", "Left out", LineFilter::Out),
];

pub(super) async fn show(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    shown(&page, id, &uri, Form::default()).await
}

pub(super) async fn shown(page: &Page, id: i64, uri: &axum::http::Uri, form: Form) -> PageResult {
    let p = find(page, id).await?;
    let query = pairs(uri.query().unwrap_or_default());
    let asked = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let view = VIEWS.iter().find(|(word, ..)| *word == asked("lines")).unwrap_or(&VIEWS[0]);
    let after = id::parse(Kind::PayoutLine, asked("after")).unwrap_or(0);
    let mut conn = page.read().await?;
    let sums = payouts::sums(&mut conn, id).await?;
    let mut rows = payouts::lines(&mut conn, id, view.2, after, PAGE + 1).await?;
    let approval = payouts::approval(&mut conn, page.member.business_id).await?;
    let formats = payouts::formats(&mut conn, page.member.business_id, p.method, p.currency).await?;
    drop(conn);
    let count = |filter: LineFilter| {
        let of = |state| sums.iter().filter(move |s| s.state == state).map(|s| s.lines).sum::<i64>();
        match filter {
            LineFilter::All => sums.iter().map(|s| s.lines).sum(),
            LineFilter::In => sums.iter().filter(|s| s.state != LineState::Out).map(|s| s.lines).sum(),
            LineFilter::Out => of(LineState::Out),
            LineFilter::State(state) => of(state),
        }
    };
    let own = format!("/payouts/{id}");
    let tabs = VIEWS.iter().filter(|(word, _, filter)| word.is_empty() || *word == "out" || count(*filter) > 0);
    let tabs = tabs
        .map(|(word, label, filter)| Tab {
            label: (*label).to_owned(),
            url: if word.is_empty() { own.clone() } else { format!("{own}?lines={word}") },
            current: *word == view.0,
            count: counted(count(*filter)),
        })
        .collect();
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|last| format!("{own}?lines={}&after={}", view.0, id::render(Kind::PayoutLine, last.id)));
    let downloads = is_ready(&p, approval);
    let ready = downloads && p.state != PayoutState::Closed;
    let open = count(LineFilter::State(LineState::Locked));
    let settled = sums.iter().any(|s| matches!(s.state, LineState::Paid | LineState::Failed | LineState::Returned));
    let draft = p.state == PayoutState::Draft;
    let taken = matches!(p.state, PayoutState::Locked | PayoutState::Approved);
    let can = Can {
        lock: draft && p.lines > 0,
        refresh: draft,
        drop: draft,
        unlock: taken && !settled,
        approve: p.state == PayoutState::Locked && approval != Approval::None,
        pay: ready && open > 0,
        close: ready && open == 0,
        reads: ready,
        waits: p.state == PayoutState::Locked && approval != Approval::None,
    };
    let current = match p.state {
        PayoutState::Building | PayoutState::Draft | PayoutState::Unlocking | PayoutState::Dropped => 1,
        PayoutState::Locking => 2,
        PayoutState::Locked | PayoutState::Approved if open > 0 => 3,
        PayoutState::Locked | PayoutState::Approved => 4,
        PayoutState::Closed => 5,
    };
    let shown_sums = sums
        .iter()
        .filter(|s| !matches!(s.state, LineState::Out | LineState::In))
        .map(|s| (Money { minor: s.amount, currency: p.currency }.shown(), s.state.to_string()))
        .collect();
    let busy = match p.state {
        PayoutState::Building => Some("Finding who is owed"),
        PayoutState::Locking => Some("Locking"),
        PayoutState::Unlocking => Some("Giving everything back"),
        _ => None,
    };
    let progress = busy.map(|words| (open, p.lines.max(1), words.to_owned(), own.clone()));
    html(&ShowPage {
        frame: page.frame("payouts").await?,
        form,
        amount: p.money().shown(),
        method: p.method.title(),
        steps: vec!["Draft", "Locked", "Paying", "Close"],
        current,
        created: page.when(p.created_at),
        locked: p.locked_at.map(|at| page.when(at)),
        approved: p.approved_at.map(|at| page.when(at)),
        closed: p.closed_at.map(|at| page.when(at)),
        tabs,
        settles: ready && rows.iter().any(|l| l.state == LineState::Locked),
        chooses: draft,
        returns: ready && rows.iter().any(|l| l.state == LineState::Paid),
        lines: rows.into_iter().map(|l| Line::of(l, page)).collect(),
        next,
        sums: shown_sums,
        progress,
        all_out: (view.2 == LineFilter::In && count(LineFilter::Out) > 0).then(|| counted(count(LineFilter::Out))),
        out_only: view.2 == LineFilter::Out,
        files: if downloads || draft { files(&p, &formats, downloads) } else { Vec::new() },
        downloads,
        file_first: can.pay && downloads && p.file_at.is_none() && p.method != Method::Hand,
        can,
        unmade: formats.iter().find(|(_, is_set_up)| !is_set_up).map(|(format, _)| *format).filter(|_| draft || ready),
        p,
    })
}
