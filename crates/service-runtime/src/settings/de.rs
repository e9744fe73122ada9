use std::collections::{BTreeMap, btree_map};
use std::vec;

use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::error::Fault;
use super::layers::{Node, Value};

type Result<T> = std::result::Result<T, Fault>;

/// Reads the text of an environment variable as the number that the target wants.
macro_rules! from_text {
    ($($method:ident as $number:ty => $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match &self.value {
                Value::Untyped(text) => match text.trim().parse::<$number>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(Fault::invalid_type(Unexpected::Str(text), &visitor)),
                },
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Node {
    type Error = Fault;

    from_text! {
        deserialize_bool as bool => visit_bool,
        deserialize_i8 as i64 => visit_i64,
        deserialize_i16 as i64 => visit_i64,
        deserialize_i32 as i64 => visit_i64,
        deserialize_i64 as i64 => visit_i64,
        deserialize_u8 as u64 => visit_u64,
        deserialize_u16 as u64 => visit_u64,
        deserialize_u32 as u64 => visit_u64,
        deserialize_u64 as u64 => visit_u64,
        deserialize_f32 as f64 => visit_f64,
        deserialize_f64 as f64 => visit_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.value {
            Value::Section(section) => visitor.visit_map(Entries::of(section)),
            Value::List(items) => visitor.visit_seq(Items(items.into_iter().enumerate())),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Int(value) => visitor.visit_i64(value),
            Value::Float(value) => visitor.visit_f64(value),
            Value::Text(text) | Value::Untyped(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    /// A variable holds a list as `a, b, c`.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let Value::Untyped(text) = &self.value else {
            return self.deserialize_any(visitor);
        };
        let item =
            |text: &str| Node { origin: self.origin.clone(), value: Value::Untyped(text.trim().to_owned()) };
        let items: Vec<_> = match text.trim() {
            "" => vec![],
            text => text.split(',').map(item).collect(),
        };
        visitor.visit_seq(Items(items.into_iter().enumerate()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.value {
            Value::Text(choice) | Value::Untyped(choice) => visitor.visit_enum(choice.into_deserializer()),
            Value::Section(section) => {
                MapAccessDeserializer::new(Entries::of(section)).deserialize_enum(name, variants, visitor)
            }
            _ => Err(Fault::custom("must be one of a few names")),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier
        ignored_any
    }
}

struct Entries {
    entries: btree_map::IntoIter<String, Node>,
    current: Option<(String, Node)>,
}

impl Entries {
    fn of(section: BTreeMap<String, Node>) -> Self {
        Self { entries: section.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.current = self.entries.next();
        let Some((name, _)) = &self.current else {
            return Ok(None);
        };
        seed.deserialize(StringDeserializer::new(name.clone())).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let (name, node) = self.current.take().expect("serde asks for a key before its value");
        seed.deserialize(node).map_err(|fault| fault.within(&name))
    }
}

struct Items(std::iter::Enumerate<vec::IntoIter<Node>>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some((index, node)) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(node).map(Some).map_err(|fault| fault.within(&index.to_string()))
    }
}
