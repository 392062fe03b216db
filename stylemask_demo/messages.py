"""Every message that a visitor can be shown when something does not work, or not as it was asked for.

Each says what happened, and what to do. Visitors sit elsewhere: no message names a file or folder of the machine, a type of
the program, or one of its libraries. That is for who runs the demo, as the `detail` of an error. Words in braces are filled
in where the message is given; `SLOTS` says with what.
"""

SLOTS = {
    "kind": "what a file is, of `media.kinds`",
    "ending": "the end of a file's name, such as .png",
    "limit": "a limit, as a number",
    "least": "the smallest number of a range",
    "number": "a number",
    "width": "pixels",
    "height": "pixels",
    "count": "a number of things",
    "role": "source or target, and which of several",
    "name": "a name that the visitor gave, or the title of weights",
    "names": "names to choose from",
    "file": "the name of a published file",
    "host": "who publishes a file, as a person knows it",
    "instead": "what to do with a published file that one has already",
    "address": "where a published file can be fetched by hand",
    "said": "what the host of a published file answered",
    "message": "another message of these",
}

# Pictures
NO_PICTURE = "This is no picture, or in a format that is not read here. Save it as PNG, JPEG or WebP."
KIND_OF_PICTURE = "This is no picture that is read here but {kind}. Save it as PNG, JPEG or WebP."
RAW_PHOTO = "This is a raw photo, of which only a small preview could be read. Develop it, and save it as JPEG."
DAMAGED_PICTURE = (
    "The picture is damaged or of an unusual kind. Save it again as PNG or JPEG with 8 bits a channel, or take another "
    "picture."
)
LARGE_PICTURE = "The picture has more than {limit} megapixels. Make it smaller and try again."
LARGE_PICTURE_FILE = "The picture is larger than {limit} MB. Save it smaller, for instance as JPEG."
SMALL_PICTURE = "The picture is only {width} x {height} pixels. Take a picture with at least {limit} pixels a side."
NARROW_PICTURE = (
    "The picture has {width} x {height} pixels, more than {limit} times as much one way as the other. Cut out the "
    "part with the face."
)
EMPTY_PICTURE = "The picture is empty: the file has no content. Take another picture."
TEXT_MODE = "The picture was opened as text. Open it in binary mode."
NOT_AN_IMAGE = "This is no picture. Give a file, its content, or a picture that is open already."
DELETED_PICTURE = "This picture has been deleted by now. Add it again."
CUT_PICTURE = (
    "The end of this picture is missing. {number} % of its rows are there, and are used: add the whole file if you have it."
)

# Videos
NO_VIDEO = "This is no video, or it is cut short or damaged. Save it again, as MP4 for instance."
KIND_OF_VIDEO = "This is no video but {kind}. Take a video, such as an MP4."
NO_PICTURES = "The video holds no moving pictures. Take a video."
UNKNOWN_CODING = "The video is coded in a way that is not read here. Save it as MP4 with H.264."
ONE_FRAME = "The video has fewer than two frames that can be read. Take a video."
LONG_VIDEO = "The video is longer than {limit} seconds. Cut a shorter piece."
MANY_FRAMES = "The video has more than {limit} frames. Cut a shorter piece, or save it with fewer frames a second."
LARGE_FRAMES = "The video has frames of {width} x {height} pixels. Save it smaller, with at most {limit} megapixels."
SMALL_FRAMES = "The video is only {width} x {height} pixels. Take a video with at least {limit} pixels a side."
LARGE_FRAME = "The camera's pictures are too large. Use a camera with fewer pixels."
NARROW_FRAMES = (
    "The video has frames of {width} x {height} pixels, more than {limit} times as much one way as the other. Cut out the "
    "part with the face."
)
LARGE_VIDEO_FILE = "The video is larger than {limit} MB. Cut a shorter piece, or save it smaller."
EMPTY_VIDEO = "The video is empty: the file has no content. Take another video."
CUT_VIDEO = (
    "The end of this video is missing or damaged. {number} seconds are there, and are used: add the whole file if you have "
    "it."
)

# Files
NO_FILE = "There is no file of this name. Check its name and folder."
FOLDER = "This is a folder. Name one file in it."
UNREADABLE_FILE = "The file cannot be read. Check its name and its permissions."

# What is sent to the page
ADDRESS_GIVEN = "Addresses are not opened here. Save the file that you mean, and send it itself."
WRONG_ARGUMENT = "What was sent is not what this takes. Look at what it takes, under 'Use via API' at the foot of the page."
NOT_SENT_HERE = "This file was not sent to this page. Add the file itself."
LARGE_REQUEST = "This is more than the {limit} MB that can be sent at once. Send less, for instance smaller pictures."
PAGE_FULL = "Too many people are waiting here now. Try again in a minute."
MANY_REQUESTS = "You have {limit} results under way here, as many as one visitor can have. Wait until some are done."
MUCH_LONG_WORK = "You have {limit} long works under way here, as many as one visitor can have. Wait for one, or cancel it."
EXAMPLES_ONLY = "This page takes no pictures of your own. Choose an example, or let it make up a person."

# Results
WRONG_ENDING = "The result is a {kind}: give it a name that ends in {ending}."
NO_FOLDER = "There is no folder of this name. Make it first, or name another one."
RESULT_IS_FOLDER = "There is a folder of this name already. Name a file."
UNWRITABLE = (
    "The result cannot be written. Name a folder that exists, is yours and has room, or ask who runs this page to make "
    "room."
)
NO_SOUND_IN_GIF = "A GIF has no sound: this one is silent. Choose MP4 or WebM to keep the sound of the video."
NOTHING_TO_WRITE = "There are no frames to write. Take a longer video."

# Faces
NO_FACE = "No face was found in this picture. Use a sharp, well-lit portrait in which both eyes can be seen."
NO_FACE_IN_SOURCE = "No face was found in the video of the source. Use one in which a face is seen clearly."
NO_FACE_IN_VIDEO = "No face was found in this video. Use one in which a face is seen clearly."
NO_SUCH_FACE = "There is no face number {number} in this picture: {count} were found, counted from 0. Choose one of them."
CUT_FACE = "The face in this picture is cut off too much. Use a picture that shows the whole face."
NO_FACE_SAMPLED = "No clear face came up this time. Press the button again for another person."
IN_ROLE = "In the {role} picture: {message}"
IN_FIRST_FRAME = "In the first frame of the video: {message}"

# What is asked for
TWO_PICTURES_NEEDED = "Two pictures are needed. Add a source and a target portrait."
SLIDERS_NOT_READY = "The sliders of these weights are not ready yet. Prepare them under Move by hand."
SOURCE_NEEDED = "A picture is needed. Add a source portrait."
SAMPLE_NEEDED = "A picture is needed. Add one whose expression is to be taken."
PICTURE_NEEDED = "A picture is needed. Send a portrait."
MANY_CAMERAS = "Too many cameras are followed at this moment. Try again in a minute."
VIDEO_NEEDED = "A picture and a video are needed. Add a source portrait and a video that moves it."
OUT_OF_RANGE = "{name} cannot be set to {number}. Choose a number from {least} to {limit}."
GRID_NEEDED = "Pictures are needed. Add at least one source and one target to the grid."
LARGE_GRID = "A grid has at most {limit} sources and {limit} targets. Leave some out."
GRID_TO_MAKE = "Nothing is made yet. Choose sources and targets, and press Make the grid."
STOPPED = "This was stopped. Start it again if you want it."
UNKNOWN_METHOD = "These weights have no method '{name}'. Choose one of: {names}."
UNKNOWN_REGION = "There is no region '{name}'. Choose one of: {names}."
UNKNOWN_SLIDER = "These weights have no slider '{name}'. Choose one of: {names}."
FILM_NOT_TUNED = "Nothing can be tuned to a film. Leave that out, or take a picture as the source."
UNEQUAL_LISTS = "There are {count} sources and {number} to follow: they make no pairs. Give as many, or take all with all."
NOTHING_TO_FOLLOW = "There is no file in this folder. Name one that has some."
NOTHING_MADE = "Nothing could be made of any of these files. The reasons stand above: mend some of the files."
UNKNOWN_CHOICE = "'{name}' is no choice here. Choose one of: {names}."
NO_REGIONS = "These weights cannot tell parts of a motion apart. Leave the region at 'all'."
UNEXPECTED = (
    "Something went wrong that should not. Try again, with another picture if it stays so, and tell who runs this page."
)

# Weights
NO_SUCH_WEIGHTS = "There are no weights '{name}' here. Choose one of: {names}."
WEIGHTS_NOT_HERE = "The weights of '{name}' are not here yet. Download them under Weights."
DAMAGED_WEIGHTS = "The weights are damaged or incomplete. Choose others, or ask who runs this page to restore them."
DAMAGED_FILE = "The file {file} is not what its publisher offers, and nothing of it was used. Delete it and get it again."
NOTHING_TO_CALIBRATE = "These weights have directions of their own: there is nothing to calibrate. Use the sliders."
PREPARATION_UNWRITABLE = "The sliders cannot be kept on this machine. Ask who runs this page to change its rights."
PREPARATION_FAILED = "Getting the sliders ready stopped with an error. Try again, or ask who runs this page."

# Downloads
WEB_PAGE = (
    "{host} sent a web page instead of {file}. Try again in a day, or open {address} in a browser, save the file and "
    "{instead}."
)
REFUSED = (
    "{host} does not hand out {file} now ({said}). Try again in a day, or open {address} in a browser, save the file and "
    "{instead}."
)
ELSEWHERE = "{host} sends elsewhere for {file}, to {address}. It was not downloaded. Try again in a day."
GONE = "{file} is not at {host} any more (HTTP {number}, {address}). If you have the file, {instead}."
FORBIDDEN = (
    "{host} refuses to hand out {file} (HTTP {number}, {address}). It needs other rights. If you have the file, {instead}."
)
NOT_DELIVERED = "{host} did not deliver {file}: {said}. Check the network and download again: it goes on where it stopped."
TOO_LARGE_OFFER = (
    "{host} offers {file} with {number} bytes, more than the {limit} it may have. It is not what was published, and was "
    "not downloaded. Try again in a day."
)
TOO_LARGE_FILE = "{file} is larger than the {limit} bytes it may have. It was not kept. Try again in a day."
CHANGED_FILE = "{file} is not the file that was used here before. It was not used. Ask who runs this page to look at it."
OTHER_FILE = "{file} is not the file that was published. It was not kept. Try again in a day."
NO_ROOM = (
    "There is no room on the disk of this machine. Ask who runs this page to make some, and download again: it goes on "
    "where it stopped."
)
UNWRITABLE_DOWNLOAD = "Downloads cannot be kept on this machine. Ask who runs this page to change its rights."
NOT_IN_FOLDER = "The folder has no file {file}. Name the folder that holds it."
WRONG_MIRROR = "The setting of the mirror is not the name of a repository. Ask who runs this page to change it."
DOWNLOADS_OFF = "Weights are not downloaded for visitors here. Ask who runs this page to download them."
NO_SUCH_DOWNLOAD = "There is no pack '{name}' to download. There are: {names}. Choose one of them."

# The machine
PORT_TAKEN = "Port {number} cannot be used. Choose another, or none to take one that is free."
WRONG_SWITCH = "A setting of this page is neither on nor off. Ask who runs it to change that."
NO_MARKS = "A part that marks results is missing on this machine. Ask who runs this page to install it."
WRONG_SIGNING_KEY = "The key that results are signed with cannot be used. Ask who runs this page to change it."
WRONG_DETECTOR = "The setting of the face detector is none that there is. Choose one of: {names}."
LIBRARY_MISSING = "A part of the demo does not start on this machine. Ask who runs this page to install what it lacks."
DISK_FULL = "There is no room on the disk of this machine. Try again later, or ask who runs this page to make some."
NO_MEMORY = "The memory of this machine is full just now. Try again in a minute, with a smaller picture if it stays so."
SLOW_DETECTOR = "The weights of the face finder take too long. Try again with a better network."
