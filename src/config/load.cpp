#include <toml++/toml.h>
#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "config/configuration.hpp"
#include "config/settings.hpp"
#include "config/workspace_types.hpp"

namespace agentdb9::config {
namespace {

namespace fs = std::filesystem;

// Collects what is wrong, and where each value came from.
class Loader {
  public:
    explicit Loader(const Inputs& inputs) : inputs_(inputs) {}

    Loaded run() {
        for (const auto& setting : settings())
            sources_[setting.key] = "default";
        sources_["workspaceTypes"] = sources_["rewrites"] = sources_["docker.volumeDriverOptions"] =
            "default";
        loaded_.configuration.data_dir = default_data_dir();
        // The data directory is settled first: the file may lie in it.
        apply_environment("dataDir");
        apply_flags("dataDir");
        if (const auto file = find_file()) read_file(*file);
        apply_environment({});
        if (auto host = inputs_.environment.find("DOCKER_HOST"); host != inputs_.environment.end() &&
                                                                 !loaded_.configuration.docker.host &&
                                                                 !host->second.empty()) {
            loaded_.configuration.docker.host = host->second;
            sources_["docker.host"] = "environment DOCKER_HOST";
        }
        apply_flags({});
        warn_of_unknown_environment();
        if (!problems_.empty()) refuse();
        for (const auto& setting : settings()) {
            auto value = setting.show(loaded_.configuration);
            if (setting.secret && sources_[setting.key] != "default") value = "(set)";
            loaded_.shown.push_back({setting.key, value, sources_[setting.key]});
        }
        show_tables();
        return std::move(loaded_);
    }

  private:
    std::string environment(const std::string& name) const {
        const auto found = inputs_.environment.find(name);
        return found == inputs_.environment.end() ? std::string() : found->second;
    }

    fs::path default_data_dir() const {
        if (auto xdg = environment("XDG_DATA_HOME"); !xdg.empty()) return fs::path(xdg) / "agentdb9";
        if (auto home = environment("HOME"); !home.empty())
            return fs::path(home) / ".local" / "share" / "agentdb9";
        return "/var/lib/agentdb9";
    }

    std::optional<fs::path> find_file() {
        std::optional<fs::path> named = inputs_.file;
        if (auto name = environment("AGENTDB9_CONFIG"); !named && !name.empty()) named = name;
        if (named) {
            if (fs::exists(*named)) return named;
            problems_.push_back({named->string(), "there is no such configuration file"});
            return std::nullopt;
        }
        for (const auto& place :
             {loaded_.configuration.data_dir / "agentdb9.toml", fs::path("/etc/agentdb9/agentdb9.toml")}) {
            std::error_code ec;
            if (fs::exists(place, ec)) return place;
        }
        return std::nullopt;
    }

    void apply(const Setting& setting, const std::string& value, const std::string& source) {
        if (auto problem = setting.set(loaded_.configuration, value); !problem.empty()) {
            problems_.push_back({source + ": " + setting.key, problem});
        } else {
            sources_[setting.key] = source;
        }
    }

    void apply_environment(std::optional<std::string_view> only) {
        for (const auto& setting : settings()) {
            if (only && setting.key != *only) continue;
            const auto found = inputs_.environment.find(setting.environment);
            if (found != inputs_.environment.end())
                apply(setting, found->second, "environment " + setting.environment);
        }
    }

    void apply_flags(std::optional<std::string_view> only) {
        for (const auto& [key, value] : inputs_.flags) {
            if (only && key != *only) continue;
            for (const auto& setting : settings()) {
                if (setting.key == key) apply(setting, value, "flag");
            }
        }
    }

    void warn_of_unknown_environment() {
        for (const auto& [name, value] : inputs_.environment) {
            if (!name.starts_with("AGENTDB9_") || name == "AGENTDB9_CONFIG") continue;
            if (std::ranges::none_of(settings(),
                                     [&](const Setting& setting) { return setting.environment == name; })) {
                loaded_.warnings.push_back("the environment variable " + name +
                                           " names no setting and is ignored");
            }
        }
    }

    std::string place_of(const toml::node& node) const {
        return file_.filename().string() + ":" + std::to_string(node.source().begin.line);
    }

    void read_file(const fs::path& file) {
        file_ = file;
        toml::table table;
        try {
            table = toml::parse_file(file.string());
        } catch (const toml::parse_error& error) {
            problems_.push_back({file_.filename().string() + ":" + std::to_string(error.source().begin.line),
                                 std::string(error.description())});
            return;
        }
        walk(table, "");
    }

    void walk(const toml::table& table, const std::string& prefix) {
        const Problem problem = [this](const toml::node& node, const std::string& key,
                                       const std::string& what) {
            problems_.push_back({place_of(node) + ": " + key, what});
        };
        for (const auto& [name, node] : table) {
            const std::string key = prefix + std::string(name.str());
            const auto* inner = node.as_table();
            if (key == "workspaceTypes" && inner != nullptr) {
                read_workspace_types(*inner, loaded_.configuration.workspace_types, problem);
                sources_[key] = place_of(node);
            } else if (key == "rewrites" && inner != nullptr) {
                read_rewrites(*inner, problem);
            } else if (key == "docker.volumeDriverOptions" && inner != nullptr) {
                read_texts(*inner, key, loaded_.configuration.docker.volume_driver_options, problem);
            } else if (inner != nullptr && is_section(key)) {
                walk(*inner, key + ".");
            } else {
                read_setting(key, node);
            }
        }
    }

    static bool is_section(const std::string& key) {
        return std::ranges::any_of(
            settings(), [&](const Setting& setting) { return setting.key.starts_with(key + "."); });
    }

    void read_setting(const std::string& key, const toml::node& node) {
        const auto found = std::ranges::find(settings(), key, &Setting::key);
        if (found == settings().end()) {
            std::vector<std::string> known{"workspaceTypes", "rewrites"};
            for (const auto& setting : settings())
                known.push_back(setting.key);
            const auto near = did_you_mean(key, known);
            problems_.push_back({place_of(node) + ": " + key,
                                 "is not a known key" + (near ? ", did you mean '" + *near + "'?" : "")});
            return;
        }
        std::optional<std::string> text;
        std::string wanted;
        switch (found->kind) {
            case Kind::kText:
                text = node.value_exact<std::string>();
                wanted = "must be a text";
                break;
            case Kind::kInteger:
                if (auto value = node.value_exact<std::int64_t>()) text = std::to_string(*value);
                wanted = "must be a whole number";
                break;
            case Kind::kFlag:
                if (auto value = node.value_exact<bool>()) text = *value ? "true" : "false";
                wanted = "must be true or false";
                break;
            case Kind::kTextList:
                text = joined(node);
                wanted = "must be a list of texts";
                break;
        }
        if (!text) {
            problems_.push_back({place_of(node) + ": " + key, wanted});
            return;
        }
        if (auto problem = found->set(loaded_.configuration, *text); !problem.empty()) {
            problems_.push_back({place_of(node) + ": " + key, problem});
        } else {
            sources_[key] = place_of(node);
        }
    }

    static std::optional<std::string> joined(const toml::node& node) {
        const auto* array = node.as_array();
        if (array == nullptr) return std::nullopt;
        std::string text;
        for (const auto& item : *array) {
            const auto value = item.value_exact<std::string>();
            if (!value) return std::nullopt;
            text += (text.empty() ? "" : ",") + *value;
        }
        return text;
    }

    void read_texts(const toml::table& table, const std::string& key,
                    std::map<std::string, std::string>& into, const Problem& problem) {
        for (const auto& [name, node] : table) {
            if (auto value = node.value_exact<std::string>()) {
                into[std::string(name.str())] = *value;
                sources_[key] = place_of(node);
            } else {
                problem(node, key + "." + std::string(name.str()), "must be a text");
            }
        }
    }

    void read_rewrites(const toml::table& table, const Problem& problem) {
        std::map<std::string, std::string> texts;
        read_texts(table, "rewrites", texts, problem);
        for (const auto& [path, url] : texts) {
            const auto& node = *table.get(path);
            const bool good_path =
                path.size() > 1 && path.front() == '/' && path.back() != '/' && !path.starts_with("/api");
            if (!good_path)
                problem(node, "rewrites." + path, "must be a path like \"/vscode\", outside of /api");
            const auto rest = url.starts_with("http://") ? url.substr(7) : std::string();
            if (rest.find(':') == std::string::npos || rest.find_first_of("/?#@ ") != std::string::npos) {
                problem(node, "rewrites." + path, "must lead to http://HOST:PORT");
            }
            loaded_.configuration.rewrites[path] = url;
        }
    }

    void show_tables() {
        for (const auto& type : loaded_.configuration.workspace_types) {
            loaded_.shown.push_back({"workspaceTypes." + type.type,
                                     type.container_image + " on port " + std::to_string(type.default_port),
                                     sources_["workspaceTypes"]});
        }
        for (const auto& [path, url] : loaded_.configuration.rewrites) {
            loaded_.shown.push_back({"rewrites." + path, url, sources_["rewrites"]});
        }
        for (const auto& [name, value] : loaded_.configuration.docker.volume_driver_options) {
            loaded_.shown.push_back(
                {"docker.volumeDriverOptions." + name, value, sources_["docker.volumeDriverOptions"]});
        }
    }

    [[noreturn]] void refuse() const {
        std::string message = "The configuration has mistakes:";
        for (const auto& each : problems_)
            message += "\n  " + each.field + " " + each.problem;
        base::Error error(base::ErrorCode::kInvalid, "invalid_configuration", message);
        for (const auto& each : problems_)
            error = std::move(error).with_field(each.field, each.problem);
        throw error;
    }

    const Inputs& inputs_;
    Loaded loaded_;
    fs::path file_;
    std::map<std::string, std::string> sources_;
    std::vector<base::FieldProblem> problems_;
};

}  // namespace

Loaded load(const Inputs& inputs) {
    return Loader(inputs).run();
}

}  // namespace agentdb9::config
