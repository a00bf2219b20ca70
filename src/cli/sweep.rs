//! `refdesk sweep`: what the server does every minute, now.

use super::Refusal;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db};
use crate::sweep;

#[derive(clap::Args)]
pub struct Args {
    /// Print one JSON object: due, approved, held_back
    #[arg(long)]
    json: bool,
}

pub async fn sweep(config: Config, args: &Args) -> Result<(), Refusal> {
    db::migrate(&config.database_url).await?;
    let app = App::new(Db::open(&config.database_url).await?, Clock::system(), config);
    let swept = sweep::all(&app).await?;
    if args.json {
        println!("{}", serde_json::to_string(&swept).map_err(|e| Refusal::unusable(e.to_string()))?);
    } else {
        println!("{} commissions approved, {} held back.", swept.approved, swept.held_back);
    }
    app.db.close().await;
    Ok(())
}
