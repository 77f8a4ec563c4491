// A form and a colour for each fold: either tells them apart.

const FORMS = [
  "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
  "M-3.6 -3.6h7.2v7.2h-7.2z",
  "M0 -4.6L4.4 3.4H-4.4z",
  "M0 -5L4.4 0L0 5L-4.4 0z",
  "M0 4.6L4.4 -3.4H-4.4z",
];

export function form(fold) {
  return FORMS[fold % FORMS.length];
}

export function kind(fold) {
  return `fold${fold % FORMS.length}`;
}
