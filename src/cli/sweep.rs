//! `refdesk sweep`: what the server does every minute, now.

use super::Refusal;
use super::common::open;
use super::say::say;
use crate::config::Config;
use crate::sweep;

#[derive(clap::Args)]
pub struct Args {
    /// Print one JSON object: due, approved, held_back
    #[arg(long)]
    json: bool,
}

pub async fn sweep(config: Config, args: &Args) -> Result<(), Refusal> {
    let app = open(config).await?;
    let swept = sweep::all(&app).await?;
    if args.json {
        say!("{}", serde_json::to_string(&swept).map_err(|e| Refusal::unusable(e.to_string()))?);
    } else {
        say!("{} commissions approved, {} held back.", swept.approved, swept.held_back);
    }
    app.db.close().await;
    Ok(())
}
