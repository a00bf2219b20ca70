//! `refdesk generate-data`: load data for trying Refdesk at size.

use super::Refusal;
use super::say::say;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db};
use crate::generate::{self, Load};

#[derive(clap::Args)]
pub struct Args {
    #[arg(long)]
    leads: i64,
    #[arg(long)]
    referrers: i64,
}

pub async fn generate(config: Config, args: Args) -> Result<(), Refusal> {
    db::migrate(&config.database_url).await?;
    let app = App::new(Db::open_to_load(&config.database_url).await?, Clock::system(), config);
    let mut conn = app.db.read().await?;
    let businesses = crate::business::all(&mut conn).await?;
    let business =
        businesses.first().ok_or_else(|| Refusal::unusable("there is no business yet: run refdesk setup first"))?;
    let campaign_id = business.default_campaign_id.ok_or_else(|| Refusal::unusable("the business has no campaign"))?;
    let product = crate::products::first_of(&mut conn, campaign_id)
        .await?
        .ok_or_else(|| Refusal::unusable("the campaign has no product"))?;
    if generate::is_made(&mut conn, business.id).await? {
        return Err(Refusal::unusable(
            "this business has generated data already: a second run would make the same people",
        ));
    }
    drop(conn);
    let load = Load {
        business_id: business.id,
        campaign_id,
        product_id: product.id,
        leads: args.leads,
        referrers: args.referrers,
    };
    let started = std::time::Instant::now();
    generate::generate(&app, load, |done| eprintln!("{done} leads")).await?;
    let seconds = started.elapsed().as_secs_f64();
    say!("{} leads and {} referrers in {seconds:.1} s", args.leads, args.referrers);
    app.db.close().await;
    Ok(())
}
