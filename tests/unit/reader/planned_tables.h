#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reader/snapshot_plan.h"

namespace walcat::test {

inline constexpr std::uint64_t kPage = 8192;
/// What the point of begun() saw.
inline constexpr const char* kVisible = "750:755:751,753";

/// A table of so many pages; its file bears the number of its OID.
inline PhysicalTable physical(const std::string& name, std::uint32_t oid, std::uint64_t pages) {
  PhysicalTable table;
  table.name = {"public", name};
  table.oid = oid;
  table.filenode = oid;
  table.pages = pages;
  return table;
}

/// Table public.`name` with the columns id and v and a key.
inline PublishedRelation published(const std::string& name, std::uint32_t oid, std::uint64_t pages) {
  PublishedRelation published;
  published.relation.oid = oid;
  published.relation.schema = "public";
  published.relation.name = name;
  for (const char* column : {"id", "v"}) {
    published.relation.columns.emplace_back();
    published.relation.columns.back().name = column;
  }
  published.has_key = true;
  published.tables.push_back(physical(name, oid, pages));
  return published;
}

/// Chunks of so many pages.
inline PlanOptions chunks_of(std::uint64_t pages) { return {pages * kPage, true}; }

using Relations = std::vector<PublishedRelation>;

/// A session's start, with chunks of 16 pages.
inline SnapshotStart begun(const Relations& relations, std::uint32_t sessions = 1) {
  SnapshotStart start;
  start.progress.point = Lsn{1000};
  start.progress.began = 77;
  start.progress.visible = kVisible;
  start.progress.sessions = sessions;
  start.is_resumed = sessions > 1;
  start.progress.tables = cut_tables(relations, chunks_of(16));
  return start;
}

}  // namespace walcat::test
