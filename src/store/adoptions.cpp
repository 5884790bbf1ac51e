#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::Adoption;

const Table<Adoption>& table() {
    static const Table<Adoption> table(
        "agentdb9_adopted", Adoption{},
        {key<&Adoption::runtime_id>("runtimeId"), column<&Adoption::kind>("kind"),
         column<&Adoption::owner_id>("ownerId"), column<&Adoption::generation>("generation"),
         column<&Adoption::adopted_at>("adoptedAt")});
    return table;
}

}  // namespace

void Adoptions::insert(const Adoption& adoption) {
    table().insert(db_, adoption);
}

std::vector<Adoption> Adoptions::all() {
    return table().select(db_, R"(ORDER BY "adoptedAt", "runtimeId")", {});
}

}  // namespace agentdb9::store
