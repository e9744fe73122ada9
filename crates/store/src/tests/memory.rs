use tokio::time::advance;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_full_store_refuses_until_something_ends() {
    let store = MemoryStore::new(Bounds { entries: 4, bytes: 4096 });
    for key in ["a", "b", "c", "d"] {
        store.put(key, Entry::new(key, hours(5)), If::Any).await.unwrap();
        store.lease(key, hours(5)).await.unwrap();
    }
    let refused = store.put("e", Entry::new("e", hours(5)), If::Any).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert!(matches!(store.lease("e", hours(5)).await, Err(StoreError::Full)));
    let rate = Rate::new(1.try_into().unwrap(), hours(5));
    for key in ["a", "b", "c", "d"] {
        assert!(store.take(key, rate).await.unwrap().allowed);
    }
    assert!(matches!(store.take("e", rate).await, Err(StoreError::Full)));
    assert!(!store.take("a", rate).await.unwrap().allowed);
    let large = store.put("a", Entry::new(vec![0; 4096], hours(5)), If::Any).await;
    assert!(matches!(large, Err(StoreError::Full)), "{large:?}");
    assert_eq!(store.get("a").await.unwrap().unwrap().value, "a");

    assert!(store.put("a", Entry::new("A", hours(9)), If::Any).await.unwrap().is_some());
    advance(hours(5)).await;
    assert!(store.put("e", Entry::new("e", Duration::MAX), If::Any).await.unwrap().is_some());
    assert!(store.lease("e", hours(5)).await.unwrap().is_some());
    assert!(store.take("e", rate).await.unwrap().allowed);
    assert_eq!(store.get("a").await.unwrap().unwrap().value, "A");
}
