use std::collections::HashSet;

use super::*;

fn of(owner: Owner, world: &World) -> Vec<&Order> {
    world.orders.iter().rev().filter(|order| order.owner == owner).collect()
}

#[test]
fn it_is_as_large_as_promised_and_holds_what_life_holds() {
    let world = World::new(1);
    assert_eq!((world.users.len(), world.products.len(), world.orders.len()), (1000, 500, 20_000));
    assert!(world.orders.is_sorted_by_key(|order| order.placed_at));
    assert!(
        world.orders.iter().all(|order| order.updated_at >= order.placed_at && order.updated_at <= EPOCH)
    );
    let currencies: HashSet<_> =
        world.products.iter().map(|product| format!("{:?}", product.currency)).collect();
    assert_eq!(currencies.len(), 5);
    assert!(world.products.iter().filter(|product| product.stock == 0).count() > 5);
    assert!(world.promos.iter().filter(|promo| promo.ends_at > EPOCH).count() >= 2);
    assert!(world.orders.iter().any(|order| order.product > 9000));
}

#[test]
fn the_landmarks_stand_with_any_seed() {
    for seed in [0, 1, 2, 42, u64::MAX] {
        let world = World::new(seed);
        for owner in [
            Owner::user(42),
            Owner::parse("acct_acme"),
            Owner::parse("acct_globex"),
            Owner::parse("acct_initech"),
        ] {
            assert!(of(owner.unwrap(), &world).len() >= 60, "{owner:?} with seed {seed}");
        }
        let adas = of(Owner::user(42).unwrap(), &world);
        assert!(adas[..3].iter().all(|order| order.product <= PRODUCTS));
        let gone: Vec<_> =
            adas[..50].iter().map(|order| order.product).filter(|product| *product > PRODUCTS).collect();
        assert_eq!(gone, [9001], "seed {seed}");
        assert!(of(Owner::user(NEWCOMER).unwrap(), &world).is_empty());
        assert_eq!((world.products[0].price, world.products[12].stock), (4200, 0));
    }
}

#[test]
fn another_seed_is_another_shop() {
    assert_ne!(World::new(1).products[7].name, World::new(2).products[7].name);
}
