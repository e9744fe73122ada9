//! Ids to ask for, where none were given.

use domain_clients::contracts::Samples;
use domain_clients::{Catalog, Order, Orders, ProductId, ProductSearch, UpstreamSettings};
use upstream_client::{BadUpstream, Outbound};

use crate::options::Plan;

/// How many products are asked for together.
const FEW: u32 = 3;

/// What was given, and what lists name where nothing was. A list that cannot be had is not reported here: it is checked
/// itself.
pub(crate) async fn complete(plan: &Plan, outbound: &Outbound) -> Result<Samples, BadUpstream> {
    let mut samples = plan.samples.clone();
    let newest = match at(plan, "orders") {
        Some(settings) => newest_order(plan, &Orders::new(settings, outbound)?).await,
        None => None,
    };
    if let (true, Some(settings)) = (samples.products.is_empty(), at(plan, "catalog")) {
        samples.products = some_products(plan, &Catalog::new(settings, outbound)?).await;
    }
    if let Some(order) = newest {
        if samples.products.is_empty() {
            samples.products.push(order.product_id);
        }
        samples.order.get_or_insert(order.id);
    }
    Ok(samples)
}

fn at<'a>(plan: &'a Plan, name: &str) -> Option<&'a UpstreamSettings> {
    plan.services.iter().find(|(service, _)| service.name == name).map(|(_, settings)| settings)
}

async fn newest_order(plan: &Plan, orders: &Orders) -> Option<Order> {
    orders.recent(&plan.request(), 1).await.ok()?.into_iter().next()
}

async fn some_products(plan: &Plan, catalog: &Catalog) -> Vec<ProductId> {
    let promos = catalog.promos(&plan.request()).await.unwrap_or_default();
    let ids: Vec<_> = promos.into_iter().map(|promo| promo.product_id).take(FEW as usize).collect();
    if !ids.is_empty() {
        return ids;
    }
    let search = ProductSearch { limit: FEW, ..ProductSearch::default() };
    let page = catalog.search(&plan.request(), &search).await;
    page.map(|page| page.items.into_iter().map(|product| product.id).collect()).unwrap_or_default()
}
