"""Any file may be put into a place for a picture or a video: what can be read is for the server to say, in its own words.

Gradio lets only files through whose type, as the browser guesses it by the name, begins as its place's.
"""

ANY_FILE = """() => {
    const retyped = (zone, files) => {
        const kind = zone.classList.contains('film') ? 'video/' : 'image/';
        if ([...files].every(file => file.type.startsWith(kind))) return null;
        const all = new DataTransfer();
        for (const file of files)
            all.items.add(new File([file], file.name, {type: kind + file.name.split('.').pop().toLowerCase()}));
        return all;
    };
    document.addEventListener('click', event => {
        for (const input of event.target.closest?.('.film')?.querySelectorAll('input[type=file]') ?? [])
            input.accept = 'video/*,image/gif';
    }, true);
    document.addEventListener('change', event => {
        const zone = event.target.type === 'file' && event.target.closest('.zone');
        const all = zone && retyped(zone, event.target.files);
        if (all) event.target.files = all.files;
    }, true);
    document.addEventListener('drop', event => {
        const zone = event.target.closest?.('.zone');
        const all = zone && event.dataTransfer && retyped(zone, event.dataTransfer.files);
        if (!all) return;
        event.stopPropagation();
        event.preventDefault();
        event.target.dispatchEvent(new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: all}));
    }, true);
}"""
