//! The money that a decision would move, shown before it is confirmed. The form sends the preview's digest
//! back, so that a confirmed decision is the one shown.

use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::clock::Day;
use crate::commissions::{Arithmetic, store};
use crate::engine::{Decided, Event, Moved, Moves, Outcome, Rejected, SLICE, sum_shown};
use crate::money::Money;
use crate::shell::{Frame, Page};
use crate::web::page::html_with;
use crate::web::{Fault, Form};

/// One commission of a preview, ready to read.
#[derive(Debug, Clone)]
pub struct Line {
    pub referrer: String,
    pub lead: String,
    pub lead_id: i64,
    pub amount: String,
    pub line: String,
}

/// Commissions of one fate, with their sum.
#[derive(Debug, Clone)]
pub struct Group {
    pub title: &'static str,
    pub sum: String,
    pub lines: Vec<Line>,
    /// Lines that are only counted.
    pub more: usize,
}

/// The money of a preview.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    pub groups: Vec<Group>,
    pub nothing: Vec<String>,
    pub seal: String,
}

/// Lines of a group that are shown one by one.
const SHOWN: usize = 20;

impl Preview {
    pub async fn of(page: &Page, moves: &Moves) -> Result<Self, Fault> {
        let (waited, moved): (Vec<_>, Vec<_>) = moves.created.iter().cloned().partition(|m| m.was_waiting);
        let groups = [
            ("Voided", &moves.voided),
            ("Created", &moved),
            ("Earned by waiting payments", &waited),
            ("Approved", &moves.approved),
            ("Due until now, held until the dispute is decided", &moves.disputed),
            ("Due again", &moves.released),
            ("Less by the refund", &moves.reduced),
            ("Paid already, taken off the next payout", &moves.clawed_back),
            ("Paid already, stays", &moves.kept),
        ];
        let mut ids: Vec<i64> = groups
            .iter()
            .flat_map(|(_, lines)| lines.iter().take(SHOWN))
            .flat_map(|m| [m.referrer_id.0, m.lead_id.0])
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut conn = page.read().await?;
        let names: HashMap<i64, String> =
            store::names(&mut conn, page.member.business_id, &ids).await?.into_iter().collect();
        let today = page.today();
        let groups = groups.into_iter().filter(|(_, lines)| !lines.is_empty()).map(|(title, lines)| Group {
            title,
            sum: sum_shown(lines),
            lines: lines.iter().take(SHOWN).map(|m| Line::of(m, &names, today)).collect(),
            more: lines.len().saturating_sub(SHOWN),
        });
        let mut nothing: Vec<String> = moves.nothing.iter().map(|(_, why)| why.word().to_owned()).collect();
        nothing.sort();
        nothing.dedup();
        Ok(Self { groups: groups.collect(), nothing, seal: moves.seal() })
    }

    pub fn is_nothing(&self) -> bool {
        self.groups.is_empty()
    }
}

impl Line {
    fn of(m: &Moved, names: &HashMap<i64, String>, today: Day) -> Self {
        let name = |id: i64| names.get(&id).cloned().unwrap_or_default();
        let paid = m.payment_date;
        let line = Arithmetic::from(m).line(today);
        Self {
            referrer: name(m.referrer_id.0),
            lead: name(m.lead_id.0),
            lead_id: m.lead_id.0,
            amount: Money { minor: m.amount, currency: m.currency }.shown(),
            line: paid.map_or(line.clone(), |day| format!("Payment of {}: {line}", day.shown())),
        }
    }
}

/// The outcomes of events, and the money they would move. Long slices are previewed in pieces.
pub async fn preview(page: &Page, events: &[Event]) -> Result<(Vec<Decided<Outcome>>, Moves), Fault> {
    let mut outcomes = Vec::with_capacity(events.len());
    let mut moves = Moves::default();
    for chunk in events.chunks(SLICE) {
        let (these, work) = page.app.engine.preview(chunk.to_vec()).await?;
        outcomes.extend(these);
        moves.add(Moves::of(&work));
    }
    if outcomes.iter().any(|o| matches!(o, Err(Rejected::NotFound))) {
        return Err(Fault::NotFound);
    }
    Ok((outcomes, moves))
}

/// A confirming page for money: what will happen, in exact numbers.
#[derive(Template)]
#[template(path = "commissions/ask.html")]
pub struct Ask {
    pub frame: Frame,
    pub title: String,
    /// The list or page one comes from: address and name.
    pub from: (String, String),
    pub action: String,
    pub button: String,
    pub cancel_url: String,
    pub tone: &'static str,
    pub sentences: Vec<String>,
    pub preview: Preview,
    pub fields: Vec<(String, String)>,
    /// True when a reason is required.
    pub asks_reason: bool,
    pub form: Form,
}

impl Ask {
    /// 422 with errors, 409 where a small form has to be confirmed first: the script then sends it again
    /// as a page.
    pub fn answer(mut self, status: StatusCode) -> Result<Response, Fault> {
        // Switching the theme here leads back to a page that can be loaded again.
        self.frame.path.clone_from(&self.cancel_url);
        html_with(if self.form.is_fine() { status } else { StatusCode::UNPROCESSABLE_ENTITY }, &self)
    }
}
