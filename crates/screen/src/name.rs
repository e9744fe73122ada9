//! What a section is called: the name that its enum serializes to, which the program has had all along.

use std::fmt;

use serde::ser::{Error, Impossible, Serialize, Serializer};

/// The name of a section: of a variant without a value, as serde renames it. Anything else has none.
pub(crate) fn of(section: &impl Serialize) -> &'static str {
    section.serialize(Name).unwrap_or("unnamed")
}

struct Name;

/// Only variants without a value have a name.
#[derive(Debug)]
struct Nameless;

impl fmt::Display for Nameless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a variant without a value")
    }
}

impl std::error::Error for Nameless {}

impl Error for Nameless {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! nameless {
    ($($method:ident: $value:ty),*) => {
        $(fn $method(self, _: $value) -> Result<&'static str, Nameless> {
            Err(Nameless)
        })*
    };
}

impl Serializer for Name {
    type Ok = &'static str;
    type Error = Nameless;
    type SerializeSeq = Impossible<&'static str, Nameless>;
    type SerializeTuple = Impossible<&'static str, Nameless>;
    type SerializeTupleStruct = Impossible<&'static str, Nameless>;
    type SerializeTupleVariant = Impossible<&'static str, Nameless>;
    type SerializeMap = Impossible<&'static str, Nameless>;
    type SerializeStruct = Impossible<&'static str, Nameless>;
    type SerializeStructVariant = Impossible<&'static str, Nameless>;

    nameless! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_f32: f32, serialize_f64: f64, serialize_unit_struct: &'static str
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<&'static str, Nameless> {
        Ok(variant)
    }

    fn serialize_none(self) -> Result<&'static str, Nameless> {
        Err(Nameless)
    }

    fn serialize_unit(self) -> Result<&'static str, Nameless> {
        Err(Nameless)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<&'static str, Nameless> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<&'static str, Nameless> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<&'static str, Nameless> {
        Err(Nameless)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Nameless> {
        Err(Nameless)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Nameless> {
        Err(Nameless)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Nameless> {
        Err(Nameless)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Nameless> {
        Err(Nameless)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Nameless> {
        Err(Nameless)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Nameless> {
        Err(Nameless)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Nameless> {
        Err(Nameless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    enum Section {
        RecentOrders,
        #[serde(rename = "orders.product")]
        Product,
        Other(u8),
    }

    #[test]
    fn a_section_is_called_as_its_field() {
        let names = [&Section::RecentOrders, &Section::Product, &Section::Other(7)].map(of);
        assert_eq!(names, ["recentOrders", "orders.product", "unnamed"]);
        assert_eq!(of(&"text"), "unnamed");
    }
}
