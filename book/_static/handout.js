// A page whose address ends in "?handout" is for pencil and paper: nothing is on it that is folded away.
if (new URLSearchParams(location.search).has("handout")) {
  document.documentElement.classList.add("handout");
}
