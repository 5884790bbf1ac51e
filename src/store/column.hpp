// One column of a table and the member of the entity that it holds. Constants; any thread.
#pragma once

#include <string_view>

#include "store/codec.hpp"

namespace agentdb9::store {

template <class Entity>
struct Column {
    enum class Kind { kKey, kFixed, kPlain };  // what update() finds the row by; leaves alone; writes
    std::string_view name;
    Kind kind;
    Value (*encode)(const Entity&);
    void (*decode)(const Value&, Entity&);
};

template <class Entity, class T>
Entity entity_of(T Entity::*);  // names a type; never called

template <auto Member>
using EntityOf = decltype(entity_of(Member));

template <auto Member>
constexpr Column<EntityOf<Member>> make_column(std::string_view name,
                                               typename Column<EntityOf<Member>>::Kind kind) {
    using Entity = EntityOf<Member>;
    return {name, kind, [](const Entity& entity) { return encode(entity.*Member); },
            [](const Value& value, Entity& entity) { decode(value, entity.*Member); }};
}
template <auto Member>
constexpr auto key(std::string_view name) {
    return make_column<Member>(name, Column<EntityOf<Member>>::Kind::kKey);
}
template <auto Member>
constexpr auto fixed(std::string_view name) {
    return make_column<Member>(name, Column<EntityOf<Member>>::Kind::kFixed);
}
template <auto Member>
constexpr auto column(std::string_view name) {
    return make_column<Member>(name, Column<EntityOf<Member>>::Kind::kPlain);
}

}  // namespace agentdb9::store
