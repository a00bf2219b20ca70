//! `refdesk check`: exits 1 when an invariant is broken.

use super::common::is_there;
use super::say::say;
use super::{NO, Refusal};
use crate::config::Config;
use crate::db::{self, Db};

#[derive(clap::Args)]
pub struct Args {
    /// One JSON object instead of lines
    #[arg(long)]
    json: bool,
}

pub async fn check(config: Config, args: Args) -> Result<(), Refusal> {
    is_there(&config)?;
    let db = Db::open(&config.database_url).await?;
    db::known(&db).await?;
    let report = crate::check::check(&db).await?;
    if args.json {
        let text = serde_json::to_string(&report).map_err(|e| Refusal::unusable(e.to_string()))?;
        say!("{text}");
    } else {
        say!("{} rules over {} commissions and {} ledger entries", report.rules, report.commissions, report.entries);
        for finding in &report.findings {
            say!("broken: {}", finding.rule);
            for row in &finding.broken {
                say!("  {row}");
            }
        }
    }
    if report.ok {
        Ok(())
    } else {
        Err(Refusal { code: NO, why: format!("{} rules are broken", report.findings.len()) })
    }
}
