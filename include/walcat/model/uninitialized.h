#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace walcat {

/// std::allocator, but for elements that are added without a value: they hold what the memory held. For vectors whose
/// owner writes every element that resize() adds, at once.
template <typename T>
class Uninitialized : public std::allocator<T> {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  template <typename U>
  struct rebind {
    using other = Uninitialized<U>;
  };

  void construct(T*) noexcept {}
  template <typename... Arguments>
  void construct(T* at, Arguments&&... arguments) {
    std::construct_at(at, std::forward<Arguments>(arguments)...);
  }
};

}  // namespace walcat
