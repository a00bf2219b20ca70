//! `refdesk setup` and `refdesk business add`: a business without a browser.

use clap::Subcommand;
use serde_json::json;

use super::say::say;
use super::{Refusal, common};
use crate::app::App;
use crate::business::{self, Created, NewBusiness, Owner};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db};
use crate::email::Email;
use crate::money::Rate;
use crate::places;
use crate::text;
use crate::users::Passwords;

#[derive(clap::Args)]
pub struct Args {
    /// The name of the business
    #[arg(long)]
    business: String,
    /// The owner's e-mail address
    #[arg(long)]
    email: String,
    /// The owner's name [default: the part of the address before the @]
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    campaign: String,
    #[arg(long)]
    product: String,
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Two letters: how phone numbers without a country code are read
    #[arg(long, default_value = "US")]
    country: String,
    #[arg(long, default_value = "UTC")]
    timezone: String,
    /// Percent of the first payment
    #[arg(long, default_value = "20")]
    referral_rate: String,
    /// Percent of later payments
    #[arg(long, default_value = "20")]
    recurring_rate: String,
    #[arg(long, default_value_t = 14)]
    hold_days: i64,
}

#[derive(Subcommand)]
pub enum BusinessVerb {
    /// A further business; a known owner keeps their password
    Add(Args),
}

fn wrong<T, E: std::fmt::Display>(name: &str, outcome: Result<T, E>) -> Result<T, Refusal> {
    outcome.map_err(|why| Refusal::unusable(format!("--{name} {why}")))
}

fn read_password() -> Result<String, Refusal> {
    let password = common::read_password()?;
    Passwords::judge(&password).map_err(|why| Refusal::unusable(format!("the password on standard input {why}")))?;
    Ok(password)
}

pub async fn setup(config: Config, args: Args, only_first: bool) -> Result<(), Refusal> {
    let email = wrong("email", Email::parse(&args.email))?;
    let name = args.name.unwrap_or_else(|| args.email.split('@').next().unwrap_or_default().to_owned());
    let line = |flag: &str, value: &str| {
        let value = wrong(flag, text::line(value, 120))?;
        if value.is_empty() { Err(Refusal::unusable(format!("--{flag} is empty"))) } else { Ok(value) }
    };
    let Some(country) = places::country(&args.country) else {
        return Err(Refusal::unusable("--country is not known: a name or two letters, such as Kenya or KE"));
    };
    let Some(currency) = places::currency(&args.currency) else {
        return Err(Refusal::unusable("--currency is not known: a code or a name, such as USD"));
    };
    let Some(zone) = places::zone(&args.timezone) else {
        return Err(Refusal::unusable("--timezone is not known: a name such as Africa/Nairobi, or its city"));
    };
    if !(0..=3650).contains(&args.hold_days) {
        return Err(Refusal::unusable("--hold-days must be from 0 to 3650"));
    }
    let mut new = NewBusiness {
        name: line("business", &args.business)?,
        zone,
        currency,
        country: country.code.to_owned(),
        owner: Owner { name: line("name", &name)?, password_hash: String::new(), email },
        campaign: line("campaign", &args.campaign)?,
        product: line("product", &args.product)?,
        referral_rate: wrong("referral-rate", Rate::parse(&args.referral_rate))?,
        recurring_rate: wrong("recurring-rate", Rate::parse(&args.recurring_rate))?,
        hold_days: args.hold_days,
        only_first,
    };
    db::migrate(&config.database_url).await?;
    let app = App::new(Db::open(&config.database_url).await?, Clock::system(), config);
    let exists = !business::none_yet(&mut app.db.read().await?).await?;
    if only_first && exists {
        return Err(Refusal::unusable("a business exists already; `refdesk business add` makes a further one"));
    }
    let password = read_password()?;
    new.owner.password_hash =
        app.passwords.hash(password).await.ok_or_else(|| Refusal::unusable("the password could not be hashed"))?;
    match business::create(&app, new).await? {
        Created::Made { public_id, campaign_id, product_id, api_key, .. } => {
            say!(
                "{}",
                json!({
                    "businessId": public_id,
                    "campaignId": campaign_id,
                    "productId": product_id,
                    "apiKey": api_key,
                    "email": args.email,
                })
            );
            app.db.close().await;
            Ok(())
        }
        Created::NotFirst => Err(Refusal::unusable("a business exists already")),
    }
}
