/* Gives programs under node the environment that meson sets for tests: emscripten starts them with one of its own. */
Module['preRun'] = [].concat(Module['preRun'] || [], () => {
    if (typeof ENV !== 'undefined' && typeof process !== 'undefined')
        Object.assign(ENV, process.env);
});
