//! The file by which a locked payout is paid. The same payout gives the same bytes, whatever became of its lines
//! since: names, accounts and amounts are those it was locked with.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::files::{Head, Payer, Row, Writer, parts, suits};
use super::lock::hindrance;
use super::refused::Refused;
use super::store::{self, LineFilter, LineRow, PayoutRow};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::clock::{Instant, Zone};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::engine::state::PayoutState;
use crate::payout_details::{self, Details};
use crate::payouts::files::Format;

/// One of a payout's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub name: String,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
    /// The files that the payout needs in this format.
    pub parts: usize,
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoFile {
    Refused(Refused),
    /// The format does not pay by the payout's method.
    Format,
    /// The payout has fewer files.
    Part,
    /// A referrer's details cannot be read, or a line cannot be sent in this format: a sentence.
    Line(String),
}

impl NoFile {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(why) => why.code(),
            Self::Format => "payout_format",
            Self::Part => "not_found",
            Self::Line(_) => "payout_line_unfit",
        }
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => why.sentence(),
            Self::Format => "This format does not pay by the payout's method.".into(),
            Self::Part => "The payout has no such part.".into(),
            Self::Line(why) => why.clone(),
        }
    }
}

/// Lines read at once.
const CHUNK: usize = 1_000;

/// Makes a file of a payout that may be paid. The look at whole accounts is an entry of the audit.
pub async fn file(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    payer: &Payer,
    part: usize,
) -> DbResult<Result<Made, NoFile>> {
    let format = payer.format();
    let mut conn = core.db.read().await?;
    let Some(payout) = store::find(&mut conn, business_id, id).await? else {
        return Ok(Err(NoFile::Refused(Refused::NotFound)));
    };
    let asked = store::approval(&mut conn, business_id).await?;
    if payout.state != PayoutState::Closed
        && let Some(why) = hindrance(&payout, asked)
    {
        return Ok(Err(NoFile::Refused(why)));
    }
    if !suits(format, payout.method) {
        return Ok(Err(NoFile::Format));
    }
    let Some(business) = crate::business::by_id(&mut conn, business_id).await? else {
        return Ok(Err(NoFile::Refused(Refused::NotFound)));
    };
    let mut lines: Vec<LineRow> = Vec::new();
    loop {
        let after = lines.last().map_or(0, |l| l.id);
        let next = store::lines(&mut conn, id, LineFilter::In, after, CHUNK).await?;
        let more = next.len() == CHUNK;
        lines.extend(next);
        if !more {
            break;
        }
    }
    let ids: Vec<i64> = lines.iter().filter_map(|l| l.details_id).collect();
    let opened = payout_details::open(&mut conn, &core.keyring, business_id, &ids).await?;
    drop(conn);
    let opened: HashMap<i64, Result<Details, String>> = opened.into_iter().map(|o| (o.id, o.details)).collect();
    let zone = Zone::parse(&business.timezone).unwrap_or_default();
    let made = match written(&payout, &business.name, zone, &lines, &opened, payer, part) {
        Ok(made) => made,
        Err(why) => return Ok(Err(why)),
    };
    core.write(vec![Key::Payouts(business_id)], actor, (payout, format, part), note).await?;
    Ok(Ok(made))
}

fn written(
    payout: &PayoutRow,
    business: &str,
    zone: Zone,
    lines: &[LineRow],
    opened: &HashMap<i64, Result<Details, String>>,
    payer: &Payer,
    part: usize,
) -> Result<Made, NoFile> {
    let locked = Instant::from_micros(payout.locked_at.unwrap_or(payout.created_at));
    let whole = Head {
        id: format!("refdesk-{}", payout.number),
        rows: lines.len(),
        total: lines.iter().map(|l| l.amount).sum(),
        currency: payout.currency,
        created: locked,
        execution: zone.day_of(locked).plus_days(1),
    };
    let amounts: Vec<i64> = lines.iter().map(|l| l.amount).collect();
    let heads = parts(payer, &whole, &amounts);
    let head = part.checked_sub(1).and_then(|n| heads.get(n)).ok_or(NoFile::Part)?;
    let before: usize = heads.iter().take(part - 1).map(|head| head.rows).sum();
    let note = format!("{business} referral commission, payout {}", payout.number);
    let by_hand = Details::Hand { text: String::new() };
    let failed = |why: &dyn std::fmt::Display| NoFile::Line(why.to_string());
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(payer, head, &mut bytes).map_err(|why| failed(&why))?;
    for l in lines.iter().skip(before).take(head.rows) {
        let details = match l.details_id.map(|id| opened.get(&id)) {
            None => &by_hand,
            Some(Some(Ok(details))) => details,
            Some(Some(Err(why))) => return Err(NoFile::Line(format!("{}: {why}", l.referrer))),
            Some(None) => return Err(NoFile::Line(format!("The payout details of {} were erased.", l.referrer))),
        };
        let line = format!("pl_{}", l.id);
        let row =
            Row { line: &line, name: &l.referrer, email: l.email.as_deref(), details, amount: l.money(), note: &note };
        writer.row(&row, &mut bytes).map_err(|why| failed(&why))?;
    }
    writer.end(&mut bytes).map_err(|why| failed(&why))?;
    let format = payer.format();
    Ok(Made { name: head.file_name(format), content_type: format.content_type(), bytes, parts: heads.len() })
}

async fn note(tx: &mut Tx, (payout, format, part): &(PayoutRow, Format, usize)) -> DbResult<()> {
    if payout.file_at.is_none() && payout.state != PayoutState::Closed {
        store::set_file(tx, payout.id).await?;
    }
    let entry = NewEntry::by(tx, payout.business_id, "payout.file_made", ("payout", payout.id))?
        .after(json!({ "number": payout.number, "format": format, "part": part, "lines": payout.lines }));
    audit::write(tx, &[entry]).await
}
