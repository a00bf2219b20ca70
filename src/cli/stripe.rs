//! `refdesk stripe`: an account of Stripe's for a campaign, without a browser.

use serde_json::json;

use super::common::{actor, business, open, print_json, read_line};
use super::{NO, Refusal};
use crate::campaigns::Campaign;
use crate::config::Config;
use crate::core::Core;
use crate::db::Conn;
use crate::id::{self, Kind};
use crate::providers::Provider;
use crate::providers::accounts;
use crate::providers::store::LinkTerms;
use crate::providers::store::runs::{self, NewRun, RunKind};
use crate::providers::stripe::connect::{ByKey, NotConnected, by_key, leave, webhook_url};
use crate::providers::stripe::runs::{self as fetches, CustomerCounts};
use crate::{campaigns, jobs, products, router};

#[derive(clap::Subcommand)]
pub enum StripeVerb {
    /// Connect an account to a campaign; its key is read from standard input
    ///
    /// A restricted key is enough. Refdesk makes the webhook endpoint at Stripe, unless its secret is given.
    Connect(ConnectArgs),
    /// The accounts that are connected
    List(ListArgs),
    /// Take no more messages of an account
    Disconnect(DisconnectArgs),
    /// Make the customers of an account referrers of a campaign, each with a code; nobody is e-mailed
    Sync(SyncArgs),
}

#[derive(clap::Args)]
pub struct ConnectArgs {
    /// The campaign: its number, or campaign_…
    #[arg(long)]
    campaign: String,
    /// The signing secret of an endpoint that you made at Stripe: whsec_…
    #[arg(long)]
    webhook_secret: Option<String>,
    /// The product that payments are for [default: the campaign's first]
    #[arg(long)]
    product: Option<String>,
    /// Leave a lead's qualification to the campaign's rule when a code is used
    #[arg(long)]
    no_qualify_on_code: bool,
    /// Take the qualification back when the whole payment is refunded
    #[arg(long)]
    unqualify_on_refund: bool,
    /// Compute commissions from amounts with tax
    #[arg(long)]
    with_tax: bool,
    /// Compute commissions from amounts with shipping
    #[arg(long)]
    with_shipping: bool,
    /// The business, where there are several
    #[arg(long)]
    business: Option<String>,
}

#[derive(clap::Args)]
pub struct ListArgs {
    /// The business, where there are several
    #[arg(long)]
    business: Option<String>,
}

#[derive(clap::Args)]
pub struct DisconnectArgs {
    /// The account's number, as `refdesk stripe list` prints it
    account: i64,
    /// The business, where there are several
    #[arg(long)]
    business: Option<String>,
}

#[derive(clap::Args)]
pub struct SyncArgs {
    /// The campaign: its number, or campaign_…
    #[arg(long)]
    campaign: String,
    /// The account's number, as `refdesk stripe list` prints it, where there are several
    #[arg(long)]
    account: Option<i64>,
    /// Say what would become of the customers, and add nobody
    #[arg(long)]
    dry_run: bool,
    /// The business, where there are several
    #[arg(long)]
    business: Option<String>,
}

pub async fn stripe(config: Config, verb: StripeVerb) -> Result<(), Refusal> {
    let app = open(config).await?;
    match verb {
        StripeVerb::Connect(args) => connect(&app, args).await?,
        StripeVerb::List(args) => list(&app, &args).await?,
        StripeVerb::Disconnect(args) => disconnect(&app, &args).await?,
        StripeVerb::Sync(args) => sync(&app, &args).await?,
    }
    app.db.close().await;
    Ok(())
}

/// The campaign of a business by its number or `campaign_…`.
async fn campaign(conn: &mut Conn, business_id: i64, wanted: &str) -> Result<Campaign, Refusal> {
    let wanted = wanted.trim();
    let campaign_id = wanted.parse().ok().or_else(|| id::parse(Kind::Campaign, wanted));
    let campaign = match campaign_id {
        Some(campaign_id) => campaigns::find(conn, business_id, campaign_id).await?,
        None => None,
    };
    campaign.ok_or_else(|| Refusal::unusable(format!("there is no campaign {wanted}")))
}

async fn connect(core: &Core, args: ConnectArgs) -> Result<(), Refusal> {
    let mut conn = core.db.read().await?;
    let business = business(&mut conn, args.business.as_deref()).await?;
    let campaign = campaign(&mut conn, business.id, &args.campaign).await?;
    let all = products::of_campaign(&mut conn, business.id, campaign.id).await?;
    drop(conn);
    let product = match &args.product {
        Some(wanted) => all.iter().find(|product| product.public_id == wanted.trim()),
        None => all.iter().min_by_key(|product| product.test),
    };
    let Some(product) = product else {
        return Err(Refusal::unusable(match args.product {
            Some(wanted) => format!("the campaign has no product {wanted}"),
            None => "the campaign has no product: add one first".to_owned(),
        }));
    };
    let secret = args.webhook_secret.map(|secret| secret.trim().to_owned());
    if secret.as_deref().is_some_and(|secret| !secret.starts_with("whsec_")) {
        return Err(Refusal::unusable("--webhook-secret is no signing secret of Stripe's: it begins with whsec_"));
    }
    let key = read_line("The key of Stripe's API (it is shown as you type):")?;
    let terms = LinkTerms {
        product_id: product.id,
        qualify_on_code: !args.no_qualify_on_code,
        unqualify_on_refund: args.unqualify_on_refund,
        with_tax: args.with_tax,
        with_shipping: args.with_shipping,
    };
    let new = ByKey {
        business_id: business.id,
        business: business.public_id.clone(),
        campaign_id: campaign.id,
        key,
        webhook_secret: secret,
        terms: Some(terms),
    };
    match by_key(core, &actor("stripe connect"), new).await? {
        Ok(done) => print_json(&json!({
            "id": done.account_id,
            "provider": Provider::Stripe.word(),
            "account": text_or_null(&done.facts.id),
            "name": text_or_null(&done.facts.name),
            "mode": mode(done.test),
            "businessId": business.public_id,
            "campaignId": campaign.id,
            "productId": done.product,
            "webhookUrl": webhook_url(&core.config.public_url, Provider::Stripe, &business.public_id),
            "webhookEndpoint": text_or_null(&done.endpoint),
        })),
        Err(why @ (NotConnected::Key(_) | NotConnected::Desk(_))) => Err(Refusal::unusable(why.to_string())),
        Err(why) => Err(Refusal { code: NO, why: why.to_string() }),
    }
}

fn text_or_null(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn mode(test: bool) -> &'static str {
    if test { "test" } else { "live" }
}

async fn list(core: &Core, args: &ListArgs) -> Result<(), Refusal> {
    let mut conn = core.db.read().await?;
    let business = business(&mut conn, args.business.as_deref()).await?;
    let all = accounts::of(&mut conn, business.id).await?;
    let of_stripe = all.iter().filter(|account| account.row.provider == Provider::Stripe);
    let accounts = of_stripe.map(|account| {
        json!({
            "id": account.row.id,
            "account": text_or_null(&account.row.account),
            "name": text_or_null(&account.row.name),
            "mode": mode(account.row.test),
            "connected": account.is_connected(),
            "campaigns": account.links.iter().map(|link| link.campaign_id).collect::<Vec<_>>(),
            "webhookUrl": webhook_url(&core.config.public_url, Provider::Stripe, &business.public_id),
        })
    });
    print_json(&json!({ "accounts": accounts.collect::<Vec<_>>() }))
}

async fn disconnect(core: &Core, args: &DisconnectArgs) -> Result<(), Refusal> {
    let business = business(&mut core.db.read().await?, args.business.as_deref()).await?;
    if leave(core, &actor("stripe disconnect"), business.id, args.account).await? {
        return print_json(&json!({ "id": args.account, "connected": false }));
    }
    Err(Refusal { code: NO, why: format!("there is no connected account {}", args.account) })
}

/// The connected account that a campaign's customers are of.
async fn account_for(conn: &mut Conn, business_id: i64, campaign_id: i64, wanted: Option<i64>) -> Result<i64, Refusal> {
    let all = accounts::of(conn, business_id).await?;
    let fits = |a: &&accounts::Account| {
        let is_wanted = wanted.is_none_or(|wanted| wanted == a.row.id);
        a.row.provider == Provider::Stripe && a.is_connected() && a.link(campaign_id).is_some() && is_wanted
    };
    let fitting: Vec<&accounts::Account> = all.iter().filter(fits).collect();
    match fitting.as_slice() {
        [only] => Ok(only.row.id),
        [] => Err(Refusal::unusable("no account of Stripe's is connected to this campaign")),
        several => {
            let ids: Vec<String> = several.iter().map(|a| format!("{} {}", a.row.id, a.row.name)).collect();
            Err(Refusal::unusable(format!("say which account, with --account: {}", ids.join(", "))))
        }
    }
}

async fn sync(core: &Core, args: &SyncArgs) -> Result<(), Refusal> {
    let mut conn = core.db.read().await?;
    let business = business(&mut conn, args.business.as_deref()).await?;
    let campaign = campaign(&mut conn, business.id, &args.campaign).await?;
    let account_id = account_for(&mut conn, business.id, campaign.id, args.account).await?;
    drop(conn);
    let new = NewRun {
        business_id: business.id,
        account_id,
        campaign_id: campaign.id,
        kind: RunKind::Customers,
        asks: args.dry_run,
        daily: false,
        since: None,
    };
    let asked = fetches::start(core, &actor("stripe sync"), new).await?.map_err(Refusal::unusable)?;
    let done = jobs::run_one(core, &router::job_kinds(), business.id, asked.job_id).await;
    let run = runs::find(&mut core.db.read().await?, business.id, asked.run_id).await?;
    // A command asks nobody, so its own preview would wait for ever; a colleague's stays.
    if args.dry_run && !asked.joined {
        fetches::discard(core, business.id, asked.run_id).await?;
    }
    let job = done?;
    let Some(run) = run else { return Err(Refusal::unusable("the run is no longer there")) };
    if let Some(why) = run.stopped.clone().or(job.error) {
        return Err(Refusal { code: NO, why });
    }
    let counts = CustomerCounts::of(&run);
    print_json(&json!({
        "account": account_id,
        "campaignId": campaign.id,
        "dryRun": args.dry_run,
        "read": counts.read,
        "new": counts.new,
        "joined": counts.joins,
        "known": counts.known,
        "sameEmail": counts.same,
        "withoutEmail": counts.no_email,
        "invalidEmail": counts.invalid,
    }))
}
