# SPDX-License-Identifier: Apache-2.0
"""Build and metadata of the distribution ``nova-image``. Every fact about the package stands here, once."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

GLANCE = ['glance>=33,<34', 'keystone>=30,<31', 'keystonemiddleware', 'gunicorn']
MIGRATE = ['tree-sitter>=0.23', 'tree-sitter-python>=0.23']
SIGNATURES = ['cursive>=0.2']
TEST = ['pytest>=8', 'hypothesis>=6.100', *SIGNATURES]

setup(
    name='nova-image',
    version='1.0.0',
    description='The standard image API of OpenStack Nova, and the old nova.image.glance over it',
    long_description=Path(__file__).with_name('README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.11',
    packages=find_namespace_packages(include=['nova_image', 'nova_image.*', 'legacy', 'legacy.*']),
    package_data={
        'nova_image': ['py.typed'],
        'legacy.download': ['*.pyi'],
        'legacy': ['py.typed', '*.pyi', 'equivalence/golden/**/*', 'equivalence/golden/*'],
    },
    install_requires=[
        'python-glanceclient>=4.10',
        'keystoneauth1>=5.8',
        'oslo.config>=9.6',
        'oslo.utils>=7.3',
        'requests',
        'stevedore',
        'typing-extensions>=4.10',
        'urllib3',
        'wrapt>=2.0',
    ],
    extras_require={
        'glance': GLANCE,
        'migrate': MIGRATE,
        'signatures': SIGNATURES,
        'test': TEST,
    },
    entry_points={
        'console_scripts': ['nova-image = nova_image.cli:main'],
        'nova_image.commands': ['legacy = legacy.commands:COMMANDS'],
        'oslo.config.opts': [
            'nova_image = nova_image.options:list_opts',
            'nova_image.direct = nova_image.direct.mounts:list_opts',
            'legacy = legacy.deprecation:list_opts',
        ],
        'pytest11': [
            'nova_image = nova_image.testing.plugin',
            'nova_image_equivalence = legacy.equivalence.pytest_plugin',
        ],
        # Where third parties register theirs; a plain name of ours never needs the scan (nova_image.driver.BUILT_IN).
        'nova_image.drivers': [
            'glance = nova_image.glance.driver:GlanceDriver',
            'local = nova_image.local.driver:LocalDriver',
        ],
    },
    classifiers=[
        'Environment :: OpenStack',
        'Intended Audience :: Developers',
        'Intended Audience :: System Administrators',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3 :: Only',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Typing :: Typed',
    ],
)
