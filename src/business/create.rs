//! A new business with everything it needs to take its first event: owner, campaign, product with
//! terms, and a live key.

use serde_json::json;

use super::settings::NewBusiness;
use super::store;
use crate::actor::{Actor, ActorKind};
use crate::audit::{self, NewEntry};
use crate::campaigns::{self, NewCampaign};
use crate::core::Core;
use crate::db::{DbResult, Key, Terms, Tx};
use crate::keys::{self, NewKey};
use crate::products::{self, NewTerms};
use crate::users::Role;
use crate::{id, users};

/// The result. The key is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    Made {
        business_id: i64,
        public_id: String,
        campaign_id: i64,
        product_id: String,
        api_key: String,
        user_id: i64,
    },
    /// A business exists already, and only a first one may be made here.
    NotFirst,
}

pub async fn create(core: &Core, new: NewBusiness) -> DbResult<Created> {
    let made = {
        let mut rng = rand::rng();
        Texts {
            public_id: id::random_public_id("business", &mut rng),
            product_id: id::random_public_id("product", &mut rng),
            api_key: id::new_api_key(true, &mut rng),
        }
    };
    let keys = vec![Key::Setup, Key::Referrer(0, new.owner.email.key().to_owned())];
    core.db.write_on(Terms::of(keys).ids(8), (new, made), create_in).await
}

/// The ids and secrets of a new business.
struct Texts {
    public_id: String,
    product_id: String,
    api_key: String,
}

async fn create_in(tx: &mut Tx, (new, made): &(NewBusiness, Texts)) -> DbResult<Created> {
    let now = tx.now();
    if new.only_first && store::count(tx).await? > 0 {
        return Ok(Created::NotFirst);
    }
    let business_id = tx.id()?;
    store::insert(tx, business_id, &made.public_id, new).await?;
    let user_id = match users::id_by_email(tx, new.owner.email.key()).await? {
        Some(known) => known,
        None => {
            let user_id = tx.id()?;
            users::insert_user(tx, user_id, &new.owner.email, &new.owner.name, &new.owner.password_hash, now).await?;
            user_id
        }
    };
    users::insert_membership(tx, business_id, user_id, Role::Owner, now).await?;
    let campaign_id = tx.id()?;
    campaigns::insert(tx, &NewCampaign::live(campaign_id, business_id, new.campaign.clone()), now).await?;
    store::set_default_campaign(tx, business_id, campaign_id).await?;
    let product_row = tx.id()?;
    products::insert(tx, product_row, business_id, campaign_id, &made.product_id, &new.product, false).await?;
    let terms = NewTerms::percent(new.referral_rate, new.recurring_rate, new.hold_days);
    let terms_id = tx.id()?;
    products::insert_terms(tx, terms_id, product_row, 1, &terms, Some(user_id), now).await?;
    let key = NewKey::full(tx.id()?, business_id, "First key", &made.api_key, Some(user_id));
    keys::insert(tx, &key, now).await?;
    let actor = std::sync::Arc::new(Actor {
        call: None,
        kind: ActorKind::User,
        id: Some(user_id),
        name: new.owner.name.clone(),
        origin: "set-up".into(),
    });
    let entry = NewEntry::new(tx.id()?, business_id, &actor, "business.created", ("business", business_id))
        .after(json!({ "name": new.name, "campaign": new.campaign, "product": new.product }));
    audit::write(tx, &[entry]).await?;
    Ok(Created::Made {
        business_id,
        public_id: made.public_id.clone(),
        campaign_id,
        product_id: made.product_id.clone(),
        api_key: made.api_key.clone(),
        user_id,
    })
}
