"""What pyproject.toml cannot say: where the installed package has the files that the repository keeps at its top."""

from setuptools import find_packages, setup

CARRIED = {
    "stylemask_demo.checkpoints.synthetic": "checkpoints/synthetic",
    "stylemask_demo.assets.examples": "assets/examples",
}

setup(
    packages=[*find_packages(include=["stylemask_demo*"]), *CARRIED],
    package_dir=CARRIED,
    package_data={
        "stylemask_demo": ["py.typed"],
        "": ["*.css", "*.js", "*.json"],
        **{package: ["*"] for package in CARRIED},
    },
)
