//! `refdesk export KIND`: lists as files, read as the pages of `/v1` are, a thousand rows at a time and the
//! oldest first, so that new rows come at the end and memory is bounded for lists of any length.

mod columns;
mod write;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Stdout};

use clap::Subcommand;

use super::Refusal;
use super::common::{business, open};
use crate::app::App;
use crate::business::BusinessRow;
use crate::clock::{Day, Zone};
use crate::codes::rows::{self as codes, CodeRow};
use crate::commissions::rows::{self as commissions, CommissionRow};
use crate::config::Config;
use crate::db::{DbResult, FromDb, Listing};
use crate::engine::Status;
use crate::id::{self, Kind};
use crate::leads::LeadRow;
use crate::leads::rows as leads;
use crate::payments::{self, PaymentFilter, PaymentRow};
use crate::referrers::rows::{self as referrers, ReferrerRow};
use crate::text::counted;
use crate::{campaigns, imports};
use write::{Format, Out};

/// Rows read at a time.
const BATCH: usize = 1_000;

#[derive(Subcommand)]
pub enum ExportVerb {
    /// Leads; `refdesk import --kind leads` takes the file, after that of their referrers
    Leads {
        /// Only of this status: new, contacted, qualified, converted or lost
        #[arg(long, value_parser = status)]
        status: Option<Status>,
        /// Only qualified ones (true), or only the others (false)
        #[arg(long, value_parser = yes_or_no)]
        qualified: Option<bool>,
        /// Only of this referrer (agent_…)
        #[arg(long, value_parser = referrer)]
        referrer: Option<i64>,
        /// Archived ones instead of the others
        #[arg(long)]
        archived: bool,
        /// Test data, instead of live data
        #[arg(long)]
        test: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Referrers with their active codes; `refdesk import --kind referrers` takes the file
    Referrers {
        /// Only those who are so in the campaign: active, paused or banned
        #[arg(long, value_parser = ["active", "paused", "banned"])]
        state: Option<String>,
        /// Only those who have no code
        #[arg(long)]
        without_code: bool,
        /// Archived ones instead of the others
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Codes of every state, with their links
    Codes {
        /// Only of this state: active, alias or retired
        #[arg(long, value_parser = ["active", "alias", "retired"])]
        state: Option<String>,
        /// Only of this referrer (agent_…)
        #[arg(long, value_parser = referrer)]
        referrer: Option<i64>,
        #[command(flatten)]
        of: Of,
    },
    /// Commissions with what they were computed from
    Commissions {
        /// Only of this state: pending, approved, paid or void
        #[arg(long, value_parser = ["pending", "approved", "paid", "void"])]
        state: Option<String>,
        /// Only of this referrer (agent_…)
        #[arg(long, value_parser = referrer)]
        referrer: Option<i64>,
        /// Test data, instead of live data
        #[arg(long)]
        test: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Payments, and what was decided about each
    Payments {
        /// Only those that are disputed
        #[arg(long)]
        disputed: bool,
        /// Test data, instead of live data
        #[arg(long)]
        test: bool,
        #[command(flatten)]
        of: Of,
    },
}

#[derive(clap::Args)]
pub struct Of {
    /// The business (business_…), where there are several
    #[arg(long)]
    business: Option<String>,
    /// Only of this campaign: its number, or campaign_…
    #[arg(long)]
    campaign: Option<String>,
    /// Only what came on this day or later, YYYY-MM-DD in the business's time zone
    #[arg(long)]
    since: Option<String>,
    /// Only what came on this day or earlier
    #[arg(long)]
    until: Option<String>,
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
}

fn status(word: &str) -> Result<Status, String> {
    Status::parse(word).ok_or_else(|| "must be new, contacted, qualified, converted or lost".to_owned())
}

fn yes_or_no(word: &str) -> Result<bool, String> {
    match word {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("must be yes or no".to_owned()),
    }
}

fn referrer(typed: &str) -> Result<i64, String> {
    let known = typed.parse().ok().or_else(|| id::parse(Kind::Referrer, typed));
    known.ok_or_else(|| "is not the id of a referrer".to_owned())
}

pub async fn export(config: Config, verb: ExportVerb) -> Result<(), Refusal> {
    let app = open(config).await?;
    let written = match verb {
        ExportVerb::Leads { status, qualified, referrer, archived, test, of } => {
            let filter =
                leads::Filter { status, qualified, referrer_id: referrer, archived, test, ..leads::Filter::default() };
            leads_of(&mut Export::new(&app, &of, &columns::LEADS).await?, &filter).await
        }
        ExportVerb::Referrers { state, without_code, archived, of } => {
            let filter = referrers::Filter {
                state: ["active", "paused", "banned"].into_iter().find(|word| state.as_deref() == Some(word)),
                has_code: without_code.then_some(false),
                archived,
                ..referrers::Filter::default()
            };
            referrers_of(&mut Export::new(&app, &of, &columns::REFERRERS).await?, &filter).await
        }
        ExportVerb::Codes { state, referrer, of } => {
            let states = ["active", "alias", "retired"];
            let state = states.into_iter().find(|word| state.as_deref() == Some(word));
            let filter = codes::Filter { state, referrer_id: referrer, ..codes::Filter::default() };
            codes_of(&mut Export::new(&app, &of, &columns::CODES).await?, &filter).await
        }
        ExportVerb::Commissions { state, referrer, test, of } => {
            let states = ["pending", "approved", "paid", "void"];
            let state = states.into_iter().find(|word| state.as_deref() == Some(word));
            let filter = commissions::Filter { state, referrer_id: referrer, test, ..commissions::Filter::default() };
            commissions_of(&mut Export::new(&app, &of, &columns::COMMISSIONS).await?, &filter).await
        }
        ExportVerb::Payments { disputed, test, of } => {
            payments_of(&mut Export::new(&app, &of, &columns::PAYMENTS).await?, disputed, test).await
        }
    };
    app.db.close().await;
    match written {
        Ok(rows) => {
            eprintln!("{} {}.", counted(rows), if rows == 1 { "row" } else { "rows" });
            Ok(())
        }
        // The reader has closed the pipe.
        Err(Ended::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Ended::Output(error)) => Err(Refusal::unusable(format!("standard output: {error}"))),
        Err(Ended::Database(error)) => Err(error.into()),
    }
}

/// Why an export stopped early.
enum Ended {
    Output(io::Error),
    Database(crate::db::DbError),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
impl From<crate::db::DbError> for Ended {
    fn from(error: crate::db::DbError) -> Self {
        Self::Database(error)
    }
}

/// The list to export, and the file.
struct Export<'a> {
    app: &'a App,
    business: BusinessRow,
    /// One after the other.
    campaigns: Vec<i64>,
    /// The one that was named.
    campaign: Option<i64>,
    /// Instants in microseconds: from, and up to but without.
    since: Option<i64>,
    until: Option<i64>,
    out: Out<BufWriter<Stdout>>,
}

impl<'a> Export<'a> {
    async fn new(app: &'a App, of: &Of, columns: &'static [&'static str]) -> Result<Self, Refusal> {
        let mut conn = app.db.read().await?;
        let campaign = match of.campaign.as_deref().map(str::trim) {
            None => None,
            Some(typed) => {
                let unknown = || Refusal::unusable(format!("there is no campaign {typed}"));
                let id = typed.parse().ok().or_else(|| id::parse(Kind::Campaign, typed)).ok_or_else(unknown)?;
                let (owner, _) = imports::campaign_of(&mut conn, id).await?.ok_or_else(unknown)?;
                Some((id, crate::business::by_id(&mut conn, owner).await?.ok_or_else(unknown)?))
            }
        };
        let business = match (&campaign, of.business.as_deref()) {
            (Some((_, owner)), None) => owner.clone(),
            (_, wanted) => business(&mut conn, wanted).await?,
        };
        if let Some((_, owner)) = &campaign
            && owner.id != business.id
        {
            return Err(Refusal::unusable(format!("that campaign is not one of {}", business.name)));
        }
        let all = campaigns::choices(&mut conn, business.id).await?;
        let campaign = campaign.map(|(id, _)| id);
        let zone = Zone::parse(&business.timezone).unwrap_or_default();
        let day = |flag: &str, typed: Option<&str>| {
            let parsed = typed.map(Day::parse).transpose();
            parsed.map_err(|why| Refusal::unusable(format!("--{flag} {why}")))
        };
        let out = BufWriter::new(io::stdout());
        let out = Out::new(out, of.format, columns).map_err(|e| Refusal::unusable(format!("standard output: {e}")))?;
        Ok(Self {
            app,
            campaigns: campaign.map_or_else(|| all.iter().map(|c| c.id).collect(), |id| vec![id]),
            campaign,
            since: day("since", of.since.as_deref())?.map(|day| zone.start_of(day).micros()),
            until: day("until", of.until.as_deref())?.map(|day| zone.start_of(day.plus_days(1)).micros()),
            business,
            out,
        })
    }

    /// The next rows of a list after a position, and the position after them when there may be more.
    async fn next<R: FromDb>(
        &self,
        list: &Listing,
        after: Option<(i64, i64)>,
        key: impl Fn(&R) -> (i64, i64),
    ) -> DbResult<(Vec<R>, Option<(i64, i64)>)> {
        let mut list = list.clone().by(list.column(), false).unbounded();
        if let Some((at, id)) = after.or(self.since.map(|since| (since - 1, i64::MAX))) {
            list = list.from_row(true, at, id);
        }
        // Rows that no index serves are looked for as long as it takes, which PostgreSQL allows a snapshot.
        let mut conn =
            if self.app.db.is_postgres() { self.app.db.snapshot().await? } else { self.app.db.read().await? };
        let mut rows: Vec<R> = list.build(BATCH).patient().all(&mut conn).await?;
        let more = (rows.len() == BATCH).then(|| rows.last().map(&key)).flatten();
        let wanted = |at: i64| self.until.is_none_or(|until| at < until);
        rows.retain(|row| wanted(key(row).0));
        Ok((rows, more.filter(|(at, _)| wanted(*at))))
    }

    async fn emails(&self, referrers: Vec<i64>) -> DbResult<BTreeMap<i64, String>> {
        referrers::emails(&mut self.app.db.read().await?, &referrers).await
    }

    fn end(&mut self) -> Result<i64, Ended> {
        self.out.flush()?;
        Ok(self.out.rows)
    }
}

async fn leads_of(export: &mut Export<'_>, filter: &leads::Filter) -> Result<i64, Ended> {
    for campaign in export.campaigns.clone() {
        let (list, mut position) = (leads::listing(campaign, filter), None);
        loop {
            let (rows, more) = export.next(&list, position, |l: &LeadRow| (l.created_at, l.id)).await?;
            let emails = export.emails(rows.iter().filter_map(|l| l.referrer_id).collect()).await?;
            for row in rows {
                let email = row.referrer_id.and_then(|id| emails.get(&id).cloned());
                export.out.row(&columns::lead(row, email))?;
            }
            position = more;
            if position.is_none() {
                break;
            }
        }
    }
    export.end()
}

async fn referrers_of(export: &mut Export<'_>, filter: &referrers::Filter) -> Result<i64, Ended> {
    for campaign in export.campaigns.clone() {
        let of_campaign = referrers::Filter { campaign_id: Some(campaign), ..filter.clone() };
        let (list, mut position) = (referrers::listing(export.business.id, &of_campaign), None);
        loop {
            let (rows, more) = export.next(&list, position, |r: &ReferrerRow| (r.created_at, r.id)).await?;
            let ids: Vec<i64> = rows.iter().map(|r| r.id).collect();
            let enrolled = referrers::enrollments(&mut export.app.db.read().await?, &ids).await?;
            let of_each: BTreeMap<i64, _> =
                enrolled.iter().filter(|e| e.campaign_id == campaign).map(|e| (e.referrer_id, e)).collect();
            for (row, enrollment) in rows.iter().filter_map(|row| Some((row, of_each.get(&row.id)?))) {
                export.out.row(&columns::referrer(row, enrollment, &export.app.config.public_url))?;
            }
            position = more;
            if position.is_none() {
                break;
            }
        }
    }
    export.end()
}

async fn codes_of(export: &mut Export<'_>, filter: &codes::Filter) -> Result<i64, Ended> {
    for campaign in export.campaigns.clone() {
        let (list, mut position) = (codes::listing(campaign, filter), None);
        loop {
            let (rows, more) = export.next(&list, position, |c: &CodeRow| (c.created_at, c.id)).await?;
            let emails = export.emails(rows.iter().map(|c| c.referrer_id).collect()).await?;
            for row in rows {
                let email = emails.get(&row.referrer_id).cloned();
                export.out.row(&columns::code(row, email, &export.app.config.public_url))?;
            }
            position = more;
            if position.is_none() {
                break;
            }
        }
    }
    export.end()
}

async fn commissions_of(export: &mut Export<'_>, filter: &commissions::Filter) -> Result<i64, Ended> {
    for campaign in export.campaigns.clone() {
        let (list, mut position) = (commissions::commissions(campaign, filter), None);
        loop {
            let (rows, more) = export.next(&list, position, |k: &CommissionRow| (k.created_at, k.id)).await?;
            let emails = export.emails(rows.iter().map(|k| k.referrer_id).collect()).await?;
            for row in rows {
                let email = emails.get(&row.referrer_id).cloned();
                export.out.row(&columns::commission(row, email))?;
            }
            position = more;
            if position.is_none() {
                break;
            }
        }
    }
    export.end()
}

async fn payments_of(export: &mut Export<'_>, disputed: bool, test: bool) -> Result<i64, Ended> {
    // The campaign is read row by row, so that all of its payments come and not only the newest.
    let only = PaymentFilter { test, disputed: disputed.then_some(true), ..PaymentFilter::default() };
    let list = payments::payments(export.business.id, &only);
    let mut position = None;
    loop {
        let (rows, more) = export.next(&list, position, |y: &PaymentRow| (y.received_at, y.id)).await?;
        for row in rows.into_iter().filter(|y| export.campaign.is_none_or(|id| id == y.campaign_id)) {
            export.out.row(&columns::payment(row))?;
        }
        position = more;
        if position.is_none() {
            return export.end();
        }
    }
}
