//! `refdesk recount`: mends counters that `refdesk check` found to be wrong.

use super::common::{actor, open, print_json};
use super::say::say;
use super::{NO, Refusal};
use crate::config::Config;
use crate::recount::{self, Refused};

#[derive(clap::Args)]
pub struct Args {
    /// One JSON object instead of lines: businesses, counters, corrected
    #[arg(long)]
    json: bool,
}

pub async fn recount(config: Config, args: &Args) -> Result<(), Refusal> {
    let app = open(config).await?;
    let report = recount::run(&app, &actor("recount")).await.map_err(|refused| match refused {
        Refused::TakenOver => Refusal { code: NO, why: "another recount has begun, and does the whole work".into() },
        Refused::Db(error) => error.into(),
    })?;
    app.db.close().await;
    if args.json {
        return print_json(&report);
    }
    for c in &report.corrected {
        let day = if c.day.is_empty() { String::new() } else { format!(" on {}", c.day) };
        say!("{}, {}{day}: was {}, is {}", c.of, c.counter, c.was, c.is);
    }
    say!(
        "{} counters of {} businesses counted anew, {} were wrong.",
        report.counters,
        report.businesses,
        report.corrected.len()
    );
    Ok(())
}
