//! `refdesk payout …`: what the pages of payouts do, for scripts. A large payout is worked on to its end before the
//! command ends.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use futures::StreamExt as _;
use serde_json::{Value as Json, json};

use super::common::{actor, business, instant, open, print_json, print_table};
use super::say::say;
use super::{NO, Refusal};
use crate::actor::Actor;
use crate::app::App;
use crate::business::BusinessRow;
use crate::clock::Day;
use crate::config::Config;
use crate::db::DbResult;
use crate::id::{self, Kind};
use crate::money::Currency;
use crate::payout_details::Method;
use crate::payouts::files::Format;
use crate::payouts::results::Verdict;
use crate::payouts::{self, Answer, Approver, LineFilter, NewPayout, PayoutRow, Refused};
use crate::{jobs, router};

#[derive(Subcommand)]
pub enum PayoutVerb {
    /// The payouts of a business, the newest first
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Make a draft: who would be paid, and who is left out and why
    Create {
        /// ISO 4217
        #[arg(long, value_parser = currency)]
        currency: Currency,
        /// paypal, wise, bank or hand
        #[arg(long, value_parser = method)]
        method: Method,
        /// Only what is due of this campaign (campaign_… or its number)
        #[arg(long, value_parser = campaign)]
        campaign: Option<i64>,
        /// The kind of file: paypal, wise, sepa, csv or xlsx [default: the method's own, where it is set up]
        #[arg(long, value_parser = format)]
        format: Option<Format>,
        #[command(flatten)]
        of: Of,
    },
    /// A payout with its lines
    Show(One),
    /// Find the lines of a draft again
    Refresh(One),
    /// Lock a draft as it was reviewed
    Lock {
        /// The fingerprint that `create` or `show` printed
        #[arg(long)]
        fingerprint: String,
        #[command(flatten)]
        one: One,
    },
    /// Give everything in a locked payout back
    Unlock {
        /// Why, for the history
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        one: One,
    },
    /// Approve a payout that somebody else locked
    Approve(One),
    /// Write the files of a locked payout into a folder
    File {
        /// paypal, wise, sepa, csv or xlsx [default: the kind it was made for]
        #[arg(long, value_parser = format)]
        format: Option<Format>,
        /// The folder; a file that is there is replaced
        #[arg(long, default_value = ".")]
        to: PathBuf,
        #[command(flatten)]
        one: One,
    },
    /// Read a report of PayPal, Wise or a bank; matched rows settle their lines
    Results {
        #[command(flatten)]
        one: One,
        /// CSV, or a bank's pain.002
        file: PathBuf,
        /// Only say what would follow
        #[arg(long)]
        dry_run: bool,
    },
    /// Mark every line that is left as paid
    Paid {
        /// The day, YYYY-MM-DD [default: today]
        #[arg(long, value_parser = day)]
        day: Option<Day>,
        #[command(flatten)]
        one: One,
    },
    /// Close a payout of which every line is paid, failed or returned
    Close(One),
    /// Drop a draft
    Drop(One),
}

#[derive(clap::Args)]
pub struct Of {
    /// The business (business_…), where there are several
    #[arg(long)]
    business: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct One {
    /// Its number (12 or P-12), or payout_…
    payout: String,
    #[command(flatten)]
    of: Of,
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).map_err(|why| why.to_string())
}

fn method(word: &str) -> Result<Method, String> {
    Method::parse(word).ok_or_else(|| "must be paypal, wise, bank or hand".to_owned())
}

fn format(word: &str) -> Result<Format, String> {
    Format::parse(word).ok_or_else(|| "must be paypal, wise, sepa, csv or xlsx".to_owned())
}

fn campaign(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let id = text.parse().ok().or_else(|| id::parse(Kind::Campaign, text));
    id.ok_or_else(|| "must be campaign_… or a number".to_owned())
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).map_err(|_| "must be a day like 2026-11-30".to_owned())
}

/// The parts that every verb needs.
struct Desk {
    app: App,
    business: BusinessRow,
    actor: Arc<Actor>,
    json: bool,
}

impl Desk {
    async fn open(config: Config, of: &Of) -> Result<Self, Refusal> {
        let app = open(config).await?;
        let business = business(&mut app.db.read().await?, of.business.as_deref()).await?;
        Ok(Self { app, business, actor: actor("payout"), json: of.json })
    }

    async fn find(&self, text: &str) -> Result<PayoutRow, Refusal> {
        let mut conn = self.app.db.read().await?;
        let text = text.trim();
        let number = text.strip_prefix("P-").or_else(|| text.strip_prefix("p-")).unwrap_or(text).parse::<i64>();
        let found = match (number, id::parse(Kind::Payout, text)) {
            (Ok(number), _) => payouts::by_number(&mut conn, self.business.id, number).await?,
            (_, Some(id)) => payouts::find(&mut conn, self.business.id, id).await?,
            _ => None,
        };
        found.ok_or_else(|| Refusal::unusable(format!("there is no payout {text}")))
    }

    /// The outcome of a decision, once its job is done.
    async fn done(&self, id: i64, done: DbResult<Result<(), Refused>>) -> Result<(), Refusal> {
        done?.map_err(no)?;
        let mut conn = self.app.db.read().await?;
        let job = payouts::job(&mut conn, self.business.id, id).await?;
        drop(conn);
        if let Some(job) = job {
            let job = jobs::run_one(&self.app, &router::job_kinds(), self.business.id, job).await?;
            if job.state == "failed" {
                return Err(Refusal::unusable(job.error.unwrap_or_default()));
            }
        }
        self.show(id).await
    }

    async fn show(&self, id: i64) -> Result<(), Refusal> {
        let mut conn = self.app.db.read().await?;
        let gone = || Refusal::unusable("the payout no longer exists");
        let payout = payouts::find(&mut conn, self.business.id, id).await?.ok_or_else(gone)?;
        let mut lines = Vec::new();
        loop {
            let after = lines.last().map_or(0, |line: &payouts::LineRow| line.id);
            let next = payouts::lines(&mut conn, id, LineFilter::All, after, 1_000).await?;
            let more = next.len() == 1_000;
            lines.extend(next);
            if !more {
                break;
            }
        }
        if self.json {
            let mut all = object(&payout);
            let line = |line: &payouts::LineRow| {
                json!({
                    "id": id::render(Kind::PayoutLine, line.id),
                    "referrer": id::render(Kind::Referrer, line.referrer_id),
                    "name": line.referrer,
                    "amount_minor": line.amount,
                    "state": line.state,
                    "left_out": line.out_reason,
                    "reason": line.reason,
                    "details": line.details,
                })
            };
            all["lines"] = lines.iter().map(line).collect();
            return print_json(&all);
        }
        say!("{} ({}): {}, {} referrers, {}", payout.name(), payout.state, payout.money().shown(), payout.lines, {
            payout.method.title()
        });
        say!("fingerprint {}", payout.fingerprint);
        let row = |line: payouts::LineRow| {
            let why = line.out_reason.map(|reason| reason.to_string()).or(line.reason.clone());
            vec![
                line.referrer.clone(),
                line.state.to_string(),
                line.money().shown(),
                line.details.clone().unwrap_or_default(),
                why.unwrap_or_default(),
            ]
        };
        print_table(
            &["referrer", "state", "amount", "paid to", "why"],
            &lines.into_iter().map(row).collect::<Vec<_>>(),
        );
        Ok(())
    }
}

fn no(why: Refused) -> Refusal {
    Refusal { code: NO, why: why.sentence() }
}

fn object(payout: &PayoutRow) -> Json {
    json!({
        "id": id::render(Kind::Payout, payout.id),
        "number": payout.number,
        "state": payout.state,
        "currency": payout.currency.code(),
        "method": payout.method,
        "format": payout.format,
        "line_count": payout.lines,
        "amount_minor": payout.amount,
        "fingerprint": payout.fingerprint,
        "note": payout.note,
        "created_at": instant(payout.created_at),
    })
}

pub async fn payout(config: Config, verb: PayoutVerb) -> Result<(), Refusal> {
    match verb {
        PayoutVerb::List { of } => list(&Desk::open(config, &of).await?).await,
        PayoutVerb::Create { currency, method, campaign, format, of } => {
            let desk = Desk::open(config, &of).await?;
            let business_id = desk.business.id;
            if let Some(campaign) = campaign {
                let found = crate::imports::campaign_of(&mut desk.app.db.read().await?, campaign).await?;
                if found.is_none_or(|(business, _)| business != business_id) {
                    return Err(Refusal::unusable("there is no such campaign"));
                }
            }
            let new = NewPayout { business_id, campaign_id: campaign, currency, method, format };
            let id = payouts::create(&desk.app, &desk.actor, new).await?.map_err(no)?;
            desk.done(id, Ok(Ok(()))).await
        }
        PayoutVerb::Show(one) => {
            let desk = Desk::open(config, &one.of).await?;
            desk.show(desk.find(&one.payout).await?.id).await
        }
        PayoutVerb::File { format, to, one } => {
            let desk = Desk::open(config, &one.of).await?;
            files(&desk, &one.payout, format, to).await
        }
        PayoutVerb::Results { file, dry_run, one } => {
            let desk = Desk::open(config, &one.of).await?;
            results(&desk, &one.payout, file, dry_run).await
        }
        PayoutVerb::Refresh(one) => decide(config, one, Deed::Refresh).await,
        PayoutVerb::Lock { fingerprint, one } => decide(config, one, Deed::Lock(fingerprint)).await,
        PayoutVerb::Unlock { reason, one } => decide(config, one, Deed::Unlock(reason)).await,
        PayoutVerb::Approve(one) => decide(config, one, Deed::Approve).await,
        PayoutVerb::Paid { day, one } => decide(config, one, Deed::Paid(day)).await,
        PayoutVerb::Close(one) => decide(config, one, Deed::Close).await,
        PayoutVerb::Drop(one) => decide(config, one, Deed::Drop).await,
    }
}

/// A decision about a whole payout.
enum Deed {
    Refresh,
    Lock(String),
    Unlock(String),
    Approve,
    Paid(Option<Day>),
    Close,
    Drop,
}

async fn decide(config: Config, one: One, deed: Deed) -> Result<(), Refusal> {
    let desk = Desk::open(config, &one.of).await?;
    let id = desk.find(&one.payout).await?.id;
    let (app, actor, business_id) = (&desk.app, &desk.actor, desk.business.id);
    let done = match deed {
        Deed::Refresh => payouts::refresh(app, actor, business_id, id).await,
        Deed::Lock(fingerprint) => payouts::lock(app, actor, business_id, id, fingerprint, None).await,
        Deed::Unlock(reason) => payouts::unlock(app, actor, business_id, id, reason).await,
        // A command is nobody: it stands for no owner, and not for a second person after another command.
        Deed::Approve => {
            payouts::approve(app, actor, business_id, id, Approver { person: None, is_owner: false }).await
        }
        Deed::Paid(day) => payouts::pay_all(app, actor, business_id, id, day).await,
        Deed::Close => payouts::close(app, actor, business_id, id).await,
        Deed::Drop => payouts::drop_draft(app, actor, business_id, id).await,
    };
    desk.done(id, done).await
}

async fn list(desk: &Desk) -> Result<(), Refusal> {
    let mut conn = desk.app.db.read().await?;
    let rows: Vec<PayoutRow> = payouts::listing(desk.business.id).build(1_000).all(&mut conn).await?;
    if desk.json {
        return print_json(&json!({ "payouts": rows.iter().map(object).collect::<Vec<_>>() }));
    }
    let row = |p: &PayoutRow| {
        vec![p.name(), p.state.to_string(), p.method.title().to_owned(), p.lines.to_string(), p.money().shown()]
    };
    print_table(&["payout", "state", "paid by", "referrers", "amount"], &rows.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

async fn files(desk: &Desk, named: &str, format: Option<Format>, to: PathBuf) -> Result<(), Refusal> {
    let payout = desk.find(named).await?;
    let format = format.unwrap_or(payout.format);
    let mut written = Vec::new();
    let mut part = 1;
    loop {
        let made = payouts::file(&desk.app, &desk.actor, desk.business.id, payout.id, format, part).await?;
        let mut made = made.map_err(|why| Refusal { code: NO, why: why.sentence() })?;
        let path = to.join(&made.name);
        let wrong = |e: std::io::Error| Refusal::unusable(format!("{}: {e}", path.display()));
        // Whole accounts are nobody else's.
        let mut file = tempfile::NamedTempFile::new_in(&to).map_err(wrong)?;
        while let Some(piece) = made.pieces.next().await {
            file.write_all(&piece.map_err(wrong)?).map_err(wrong)?;
        }
        file.as_file().sync_all().map_err(wrong)?;
        file.persist(&path).map_err(|e| wrong(e.error))?;
        written.push(path.display().to_string());
        if part >= made.parts {
            break;
        }
        part += 1;
    }
    if desk.json {
        return print_json(&json!({ "files": written }));
    }
    for path in written {
        say!("{path}");
    }
    Ok(())
}

async fn results(desk: &Desk, named: &str, path: PathBuf, dry_run: bool) -> Result<(), Refusal> {
    let payout = desk.find(named).await?;
    let bytes = std::fs::read(&path).map_err(|e| Refusal::unusable(format!("{}: {e}", path.display())))?;
    let file_name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let answer = Answer { file_name, bytes: Arc::new(bytes), reading: None };
    let (app, business_id) = (&desk.app, desk.business.id);
    let examined = if dry_run {
        payouts::examine(app, business_id, payout.id, &answer).await?.map(|(examined, _)| examined)
    } else {
        payouts::apply(app, &desk.actor, business_id, payout.id, &answer).await?
    };
    let examined = examined.map_err(|why| Refusal { code: NO, why: why.sentence() })?;
    if desk.json {
        print_json(&json!({ "rows": examined.counts(), "unread": examined.unread.len() }))?;
    } else {
        for (verdict, count) in examined.counts() {
            say!("{count} {}", verdict.replace('_', " "));
        }
        for row in &examined.unread {
            say!("row {}: {}", row.at, row.reason);
        }
    }
    let fine = [Verdict::Matched, Verdict::AlreadySo, Verdict::Pending];
    let open = examined.rows.iter().filter(|row| !fine.contains(&row.judged.verdict)).count() + examined.unread.len();
    if open == 0 {
        return Ok(());
    }
    Err(Refusal { code: NO, why: format!("{open} rows need a look: they changed nothing") })
}
