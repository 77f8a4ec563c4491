// Points of a drawing that a pointer drags and arrow keys move.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** `actions` has drag(x, y) in units of the drawing's view box, key(dx, dy) in steps, and done(). */
export function listenToHandle(handle, actions) {
  const picture = handle.ownerSVGElement;
  const move = (event) => {
    const box = picture.getBoundingClientRect();
    const { width, height } = picture.viewBox.baseVal;
    actions.drag(((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height);
  };
  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    handle.focus({ focusVisible: false });
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointermove", (event) => handle.hasPointerCapture(event.pointerId) && move(event));
  handle.addEventListener("lostpointercapture", actions.done);
  handle.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    actions.key(...step);
    actions.done();
    event.preventDefault();
  });
}
