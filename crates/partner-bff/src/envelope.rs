//! What every answer is wrapped in, so that something can be added beside the data.

use std::borrow::Cow;

use domain_clients::Cursor;
use serde::Serialize;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// One resource.
#[derive(Debug, Serialize)]
pub(crate) struct Resource<T> {
    pub(crate) data: T,
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    data: Vec<T>,
    page: PageInfo,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Page)]
struct PageInfo {
    /// The `cursor` of the next page; `null` on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// The page with these items, and where the next one begins.
    pub(crate) fn new<U>(items: Vec<U>, next: Option<Cursor>) -> Self
    where
        T: From<U>,
    {
        Self {
            data: items.into_iter().map(T::from).collect(),
            page: PageInfo { next_cursor: next.map(Into::into) },
        }
    }
}

// By hand: derived, the schema of a generic type holds a copy of its parameter's in place of a reference.

impl<T: ToSchema> PartialSchema for Resource<T> {
    fn schema() -> RefOr<Schema> {
        let data = Ref::from_schema_name(T::name());
        ObjectBuilder::new().property("data", data).required("data").into()
    }
}

impl<T: ToSchema> ToSchema for Resource<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Resource", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        add::<T>(schemas);
    }
}

impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        let data = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let page = Ref::from_schema_name(PageInfo::name());
        let list = ObjectBuilder::new().property("data", data).required("data");
        list.property("page", page).required("page").into()
    }
}

impl<T: ToSchema> ToSchema for List<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        add::<T>(schemas);
        add::<PageInfo>(schemas);
    }
}

/// Adds the schema of `T`, and all that it refers to.
fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}
