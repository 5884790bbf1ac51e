#include "config/workspace_types.hpp"

#include <toml++/toml.h>
#include <algorithm>

#include "config/did_you_mean.hpp"
#include "config/settings.hpp"

namespace agentdb9::config {
namespace {

// Reads the fields of one table: each is asked for by name, what nobody asked for is a problem.
class Reader {
  public:
    Reader(const toml::table& table, std::string prefix, const Problem& problem)
        : table_(table), prefix_(std::move(prefix)), problem_(problem) {}

    const toml::node* find(const std::string& name) {
        known_.push_back(name);
        return table_.get(name);
    }
    void text(const std::string& name, std::string& into) {
        if (const auto* node = find(name)) {
            if (auto value = node->value_exact<std::string>()) {
                into = *value;
            } else {
                refuse(*node, name, "must be a text");
            }
        }
    }
    void optional_text(const std::string& name, std::optional<std::string>& into) {
        std::string value = into.value_or("");
        if (table_.contains(name)) {
            text(name, value);
            into = value.empty() ? std::nullopt : std::optional(value);
        } else {
            known_.push_back(name);
        }
    }
    template <class T>
    void number(const std::string& name, T& into, double least, double most) {
        if (const auto* node = find(name)) {
            const bool right =
                node->is_integer() || (std::is_floating_point_v<T> && node->is_floating_point());
            const auto value = right ? node->value<double>() : std::nullopt;
            if (!value || *value < least || *value > most) {
                refuse(*node, name, "must be a number from " + brief(least) + " to " + brief(most));
            } else {
                into = static_cast<T>(*value);
            }
        }
    }
    template <class T>
    void optional_number(const std::string& name, std::optional<T>& into, double least, double most) {
        T value{};
        const bool there = find(name) != nullptr;
        if (!there) return;
        number(name, value, least, most);
        into = value;
    }
    void ulimits(model::Ulimits& into) {
        const auto* map = table("ulimits");
        if (map == nullptr) return;
        for (const auto& [key, node] : *map) {
            const std::string name(key.str());
            const auto value = node.value_exact<std::int64_t>();
            if (!model::is_ulimit_name(name)) {
                refuse(node, "ulimits." + name, "is not the name of a limit that can be set");
            } else if (!value || *value < 0 || static_cast<double>(*value) > model::kUlimitRange.most) {
                refuse(node, "ulimits." + name, "must be a whole number from 0");
            } else {
                into[name] = *value;
            }
        }
    }
    void flag(const std::string& name, bool& into) {
        if (const auto* node = find(name)) {
            if (auto value = node->value_exact<bool>()) {
                into = *value;
            } else {
                refuse(*node, name, "must be true or false");
            }
        }
    }
    void seconds(const std::string& name, std::chrono::seconds& into) {
        std::int64_t count = into.count();
        number(name, count, 1, 86400);
        into = std::chrono::seconds(count);
    }
    std::optional<std::vector<std::string>> texts(const std::string& name) {
        const auto* node = find(name);
        if (node == nullptr) return std::nullopt;
        std::vector<std::string> values;
        const auto* array = node->as_array();
        bool right = array != nullptr;
        if (array != nullptr) {
            for (const auto& item : *array) {
                const auto value = item.value_exact<std::string>();
                right = right && value;
                if (value) values.push_back(*value);
            }
        }
        if (!right) refuse(*node, name, "must be a list of texts");
        return values;
    }
    void text_map(const std::string& name, std::map<std::string, std::string>& into) {
        const auto* node = find(name);
        if (node == nullptr) return;
        const auto* map = node->as_table();
        if (map == nullptr) return refuse(*node, name, "must be a table of texts");
        into.clear();
        for (const auto& [key, value] : *map) {
            if (auto text_value = value.value_exact<std::string>()) {
                into[std::string(key.str())] = *text_value;
            } else {
                refuse(value, name + "." + std::string(key.str()), "must be a text");
            }
        }
    }
    const toml::table* table(const std::string& name) {
        const auto* node = find(name);
        if (node == nullptr) return nullptr;
        if (!node->is_table()) refuse(*node, name, "must be a table");
        return node->as_table();
    }
    void finish() {
        for (const auto& [key, node] : table_) {
            const std::string name(key.str());
            if (std::ranges::find(known_, name) != known_.end()) continue;
            const auto near = did_you_mean(name, known_);
            refuse(node, name, "is not a known key" + (near ? ", did you mean '" + *near + "'?" : ""));
        }
    }
    void refuse(const toml::node& node, const std::string& name, const std::string& what) {
        problem_(node, prefix_ + name, what);
    }

  private:
    static std::string brief(double value) {
        return value == static_cast<double>(static_cast<std::int64_t>(value))
                   ? std::to_string(static_cast<std::int64_t>(value))
                   : std::to_string(value);
    }
    const toml::table& table_;
    std::string prefix_;
    const Problem& problem_;
    std::vector<std::string> known_;
};

// What users may set. Less than the type's own would be a bound that every workspace is above.
void read_maximum(Reader& reader, const std::string& prefix, model::WorkspaceType& type,
                  const Problem& problem) {
    const auto* table = reader.table("maximumLimits");
    if (table == nullptr) return;
    Reader inner(*table, prefix + "maximumLimits.", problem);
    auto& most = type.maximum_limits;
    const auto& own = type.resource_limits;
    inner.optional_number("cpus", most.cpus, own.cpus, 1024);
    inner.optional_number("memory", most.memory_mb, static_cast<double>(own.memory_mb), 16 * 1024 * 1024);
    inner.optional_number("memoryReservation", most.memory_reservation_mb,
                          static_cast<double>(own.memory_reservation_mb), 16 * 1024 * 1024);
    inner.optional_number("pids", most.pids, static_cast<double>(own.pids), 1000000);
    inner.optional_number("shmSize", most.shm_mb, static_cast<double>(own.shm_mb), 16 * 1024 * 1024);
    inner.ulimits(most.ulimits);
    inner.finish();
    for (const auto& [name, value] : own.ulimits) {
        const auto bound = most.ulimits.find(name);
        if (bound != most.ulimits.end() && bound->second < value)
            inner.refuse(*table, "ulimits." + name,
                         "must not be below the type's own, " + std::to_string(value));
    }
}

void read_type(const toml::table& table, const std::string& name, model::WorkspaceType& type,
               const Problem& problem) {
    const std::string prefix = "workspaceTypes." + name + ".";
    Reader reader(table, prefix, problem);
    reader.text("name", type.name);
    reader.text("description", type.description);
    reader.text("icon", type.icon);
    reader.text("containerImage", type.container_image);
    reader.number("defaultPort", type.default_port, 1, 65535);
    if (auto command = reader.texts("command")) type.command = std::move(command);
    reader.text_map("env", type.env);
    reader.flag("stripPrefix", type.strip_prefix);
    reader.optional_text("homePath", type.home_path);
    if (type.home_path && (type.home_path->front() != '/' || *type.home_path == "/workspace")) {
        reader.refuse(table, "homePath", "must be an absolute path other than /workspace");
    }
    if (auto list = reader.texts("mcpTools")) type.mcp_tools = std::move(*list);
    if (auto list = reader.texts("supportedLanguages")) type.supported_languages = std::move(*list);
    if (auto list = reader.texts("features")) type.features = std::move(*list);
    if (const auto* limits = reader.table("resourceLimits")) {
        Reader inner(*limits, prefix + "resourceLimits.", problem);
        inner.number("cpus", type.resource_limits.cpus, 0.01, 1024);
        inner.number("memory", type.resource_limits.memory_mb, 6, 16 * 1024 * 1024);
        inner.number("memoryReservation", type.resource_limits.memory_reservation_mb, 0, 16 * 1024 * 1024);
        inner.number("pids", type.resource_limits.pids, 1, 1000000);
        inner.number("shmSize", type.resource_limits.shm_mb, 1, 16 * 1024 * 1024);
        inner.ulimits(type.resource_limits.ulimits);
        inner.finish();
        type.resource_limits.memory_reservation_mb =
            std::min(type.resource_limits.memory_reservation_mb, type.resource_limits.memory_mb);
    }
    read_maximum(reader, prefix, type, problem);
    if (const auto* health = reader.table("healthCheck")) {
        Reader inner(*health, prefix + "healthCheck.", problem);
        inner.flag("enabled", type.health_check.enabled);
        inner.text("path", type.health_check.path);
        if (!type.health_check.path.starts_with("/")) inner.refuse(*health, "path", "must start with /");
        inner.seconds("interval", type.health_check.interval);
        inner.seconds("timeout", type.health_check.timeout);
        inner.number("retries", type.health_check.retries, 1, 100);
        inner.flag("restart", type.health_check.restart);
        inner.finish();
    }
    double idle_minutes = std::chrono::duration<double, std::ratio<60>>(type.idle_stop).count();
    reader.number("idleStopMinutes", idle_minutes, 0, 525600);
    type.idle_stop =
        std::chrono::ceil<std::chrono::seconds>(std::chrono::duration<double, std::ratio<60>>(idle_minutes));
    reader.finish();
}

}  // namespace

void read_workspace_types(const toml::table& table, std::vector<model::WorkspaceType>& types,
                          const Problem& problem) {
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        const auto* entry = node.as_table();
        if (entry == nullptr) {
            problem(node, "workspaceTypes." + name, "must be a table");
            continue;
        }
        const bool plausible = !name.empty() && name.size() <= 50 && std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
        if (!plausible) {
            problem(node, "workspaceTypes." + name,
                    "must be named with lower-case letters, digits, - and _ only");
            continue;
        }
        auto found = std::ranges::find(types, name, &model::WorkspaceType::type);
        if (found == types.end()) {
            if (!entry->contains("containerImage")) {
                problem(node, "workspaceTypes." + name,
                        "is a new type and needs containerImage and defaultPort");
                continue;
            }
            model::WorkspaceType fresh;
            fresh.type = name;
            fresh.name = name;
            fresh.icon = "box";
            types.push_back(std::move(fresh));
            found = std::prev(types.end());
        }
        read_type(*entry, name, *found, problem);
    }
}

}  // namespace agentdb9::config
